// grpc-service.ts: a gRPC server as the guides of grpc-js write it: one process, one port, unary calls.

import {
  type Client,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ready } from './peer-process.js';

/** Serves until the process is told to stop. */
export function serveGrpc(
  name: string,
  definition: ServiceDefinition,
  implementation: UntypedServiceImplementation,
): void {
  const server = new Server();
  server.addService(definition, implementation);
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    ready(name, port, () => new Promise<void>((resolve) => server.tryShutdown(() => resolve())));
  });
}

/** A unary call as a promise. */
export function unary<Request, Response>(
  client: Client,
  method: (
    this: Client,
    request: Request,
    callback: (error: ServiceError | null, response: Response) => void,
  ) => unknown,
): (request: Request) => Promise<Response> {
  return (request) =>
    new Promise((resolve, reject) => {
      method.call(client, request, (error, response) => (error === null ? resolve(response) : reject(error)));
    });
}

/** Makes messages of a kind from the fields that matter; the others, whichever there are, as in an empty message. */
export function maker<Message extends object>(kind: {
  decode(bytes: Uint8Array): Message;
}): (fields: Partial<Message>) => Message {
  const empty = kind.decode(new Uint8Array());
  return (fields) => ({ ...empty, ...fields });
}
