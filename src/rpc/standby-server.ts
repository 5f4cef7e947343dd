// standby-server.ts: what listens in the place of a service that another process serves just now. It is there, and says so:
// the health service answers NOT_SERVING for the service, and every call is refused with UNAVAILABLE, so that clients try the
// next address.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type ServerUnaryCall, type ServiceDefinition, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { GrpcThread, serviceNameOf } from './grpc-thread.js';
import type { PeerSecurity } from './peer-security.js';

export interface StandbyOptions {
  readonly host: string;
  readonly port: number;
  /** What the service serves when it does. */
  readonly definitions: readonly ServiceDefinition[];
  /** How clients are known. Default: not at all. */
  readonly security?: PeerSecurity | undefined;
  /** Why calls are refused: a sentence. */
  readonly reason: () => string;
}

export class StandbyServer {
  readonly #listener: Server;
  readonly #thread: GrpcThread;

  private constructor(listener: Server, thread: GrpcThread) {
    this.#listener = listener;
    this.#thread = thread;
  }

  /** @throws the system's error for the address */
  static async listen({ host, port, definitions, security, reason }: StandbyOptions): Promise<StandbyServer> {
    const services = definitions.map((definition) => ({ definition, implementation: refusing(definition, reason) }));
    const thread = new GrpcThread({ services, security });
    // The server as a whole is well: whoever looks after the process has nothing to do.
    for (const definition of definitions) thread.setHealth(serviceNameOf(definition), false);
    const listener = createServer({ pauseOnConnect: true }, (socket) => thread.serve(socket));
    listener.listen({ host, port });
    await once(listener, 'listening');
    return new StandbyServer(listener, thread);
  }

  get bound(): AddressInfo {
    return this.#listener.address() as AddressInfo;
  }

  /** Ends every connection at once: there is nothing that one of them would wait for. The port is free then. */
  async close(): Promise<void> {
    this.#listener.close();
    this.#thread.close();
    await once(this.#listener, 'close');
  }
}

function refusing(definition: ServiceDefinition, reason: () => string): UntypedServiceImplementation {
  const refuse = (call: unknown, callback?: unknown): void => {
    const refusal = { code: status.UNAVAILABLE, details: reason() };
    if (typeof callback === 'function') callback(refusal);
    else (call as ServerUnaryCall<unknown, unknown>).emit('error', refusal);
  };
  return Object.fromEntries(Object.keys(definition).map((name) => [name, refuse]));
}
