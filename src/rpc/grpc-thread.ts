// grpc-thread.ts: a gRPC server for connections that somebody else accepted: what a thread of a gRPC service runs. It has
// the shape of a pool's thread service, and serves a service's definitions beside the two standard services, health
// checking and reflection.
//
//   serve(socket) ─► TLS, if any (peer-security.ts) ─► grpc-js server ─► services, counted (active-calls.ts)
//   drain()       ─► health NOT_SERVING ─► GOAWAY to every client ─► long-lived streams end in order
//                 ─► the last answer is out ─► sockets close ─► done
//
// Health: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
// Reflection: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md

import type { Socket } from 'node:net';
import { type ConnectionInjector, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { Deferred } from '../deferred.js';
import type { TlsStats, TlsTerminator } from '../tls/tls-terminator.js';
import { ActiveCalls, type GrpcService } from './active-calls.js';
import { createServerOptions } from './grpc-channel.js';
import { HealthService } from './health-service.js';
import type { PeerSecurity } from './peer-security.js';
import { reflectionServices } from './reflection.js';

export interface GrpcThreadOptions {
  services: readonly GrpcService[];
  /** What reflection tells about: .proto files, by absolute path or relative to one of `protoFolders`. Without any there
   *  is no reflection. */
  protoFiles?: readonly string[];
  /** Where imports of the .proto files are found. */
  protoFolders?: readonly string[];
  /** How clients are known. Default: not at all. */
  security?: PeerSecurity | undefined;
}

export interface GrpcThreadStats {
  readonly sessions: number;
  /** Calls being worked on, long-lived streams among them. */
  readonly activeCalls: number;
}

/** The whole server, in the language of the health service. */
const WHOLE_SERVER = '';
/** The drain has no deadline of its own: whoever drains gives up by calling close(). The longest that a timer can wait. */
const NO_DEADLINE_MS = 2 ** 31 - 1;

export class GrpcThread {
  readonly #server = new Server(createServerOptions());
  readonly #injector: ConnectionInjector;
  readonly #terminator: TlsTerminator | undefined;
  /** Tells about the whole, each service, and what setHealth added. */
  readonly #health = new HealthService();
  readonly #calls = new ActiveCalls(() => this.#settleDrain());
  readonly #sockets = new Set<Socket>();
  #drained: Deferred<void> | undefined;

  constructor(options: GrpcThreadOptions) {
    this.setHealth(WHOLE_SERVER, true);
    for (const { definition } of options.services) this.setHealth(serviceNameOf(definition), true);
    const { services, protoFiles = [], protoFolders = [] } = options;
    const reflection = protoFiles.length === 0 ? [] : reflectionServices({ protoFiles, protoFolders });
    for (const { definition, implementation } of [...services, this.#health, ...reflection]) {
      this.#server.addService(definition, this.#calls.wrap(definition, implementation));
    }
    // TLS has been taken off by then.
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#terminator = options.security?.createTerminator((socket) => this.#inject(socket));
  }

  /** Serves one connection until it closes. The socket must not have been read from; it may be paused, and may come from
   *  another thread. */
  serve(socket: Socket): void {
    // A client that has gone already left nothing to serve; one that comes into a drain will find another server.
    if (this.#drained !== undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#settleDrain();
    });
    // HTTP/2 has no half-closed connections: when the client's side has ended, nobody will read what this side says. Left
    // half open, the session of a killed client would live until it misses a ping.
    socket.allowHalfOpen = false;
    // Batches are written whole; nothing is gained by waiting for more bytes.
    socket.setNoDelay(true);
    if (this.#terminator === undefined) this.#inject(socket);
    else this.#terminator.accept(socket);
  }

  #inject(socket: Socket): void {
    this.#injector.injectConnection(socket);
    // HTTP/2 takes over the socket's handle, but does not start it reading if it was handed over paused.
    socket.resume();
  }

  /**
   * What the health service says of `name`: a service of this thread (SERVING from the start), a part of one such as
   * `package.Service/part`, or, with the empty name, the whole. A drain ends all of it for good.
   */
  setHealth(name: string, isServing: boolean): void {
    if (this.#drained !== undefined) return;
    this.#health.set(name, isServing);
  }

  stats(): GrpcThreadStats {
    return { sessions: this.#sockets.size, activeCalls: this.#calls.count };
  }

  /** Undefined without TLS. */
  tlsStats(): TlsStats | undefined {
    return this.#terminator?.stats();
  }

  /** Answers what it has, ends every stream and connection in order, and resolves when none is left. */
  drain(): Promise<void> {
    if (this.#drained === undefined) {
      for (const name of this.#health.names) this.setHealth(name, false);
      this.#drained = new Deferred();
      this.#terminator?.close();
      this.#injector.drain(NO_DEADLINE_MS);
      this.#calls.drain();
      this.#settleDrain();
    }
    return this.#drained.promise;
  }

  /** Ends everything at once. */
  close(): void {
    this.#server.forceShutdown();
    for (const socket of this.#sockets) socket.destroy();
    this.#drained?.resolve();
  }

  #settleDrain(): void {
    if (this.#sockets.size === 0 && this.#calls.count === 0) this.#drained?.resolve();
  }
}

/** `package.Service`, as it stands in the path of every method: `/package.Service/Method`. */
export function serviceNameOf(definition: ServiceDefinition): string {
  const path = Object.values(definition)[0]?.path ?? '';
  return path.split('/')[1] ?? '';
}
