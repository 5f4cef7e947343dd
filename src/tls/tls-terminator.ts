// tls-terminator.ts: the TLS of one thread. Connections come to it as they were accepted and leave it as decrypted ones.
//
//   accept(socket) ──handshake──► onSecure(TLSSocket)      from then on its user's, as any socket
//         └── too slow, refused, gone ──► closed, and counted by reason
//
// The work is that of node:tls: a tls.Server that never listens, given each accepted socket as if it had accepted it
// itself. (A bare TLSSocket would leave the check of the peer's certificate to us.) There is one for each thread, since a
// socket is handed to its thread before its first byte is read. TLS 1.2 and 1.3 only (RFC 8446, RFC 5246, RFC 9325).

import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { acceptedSocketOf } from '../node-internals.js';
import { HANDSHAKE_FAILURES, type HandshakeFailure, handshakeFailure } from './handshake-failures.js';
import type { TlsIdentity } from './tls-identity.js';

export interface TlsTerminatorOptions {
  readonly identity: TlsIdentity;
  /** What is spoken inside (RFC 7301). A peer that names protocols and not this one is refused. */
  readonly protocol: 'http/1.1' | 'h2';
  /** From the accepted connection to the end of its handshake, however many bytes come meanwhile. Milliseconds. */
  readonly handshakeTimeoutMs: number;
  readonly onSecure: (socket: TLSSocket) => void;
  /** Sent, unencrypted, to a peer that begins with HTTP instead of TLS. Default: nothing. */
  readonly answerToPlainHttp?: string;
  /** Told of each failure, with node:tls's code for it. */
  readonly onFailed?: (failure: HandshakeFailure, code: string) => void;
}

export interface TlsStats {
  /** Handshakes that are under way. */
  readonly pending: number;
  readonly full: number;
  /** Those that went on with an earlier session. */
  readonly resumed: number;
  readonly failed: Readonly<Record<HandshakeFailure, number>>;
}

/** Hands a drain over to other servers, or lets a handshake end that has nearly been done: a few round trips. */
const DRAIN_HANDSHAKE_TIMEOUT_MS = 1_000;

export class TlsTerminator {
  readonly #options: TlsTerminatorOptions;
  readonly #server: Server;
  /** Sockets whose handshake is under way. */
  readonly #pending = new Set<Socket>();
  readonly #failed = Object.fromEntries(HANDSHAKE_FAILURES.map((name) => [name, 0])) as Record<
    HandshakeFailure,
    number
  >;
  #full = 0;
  #resumed = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: TlsTerminatorOptions) {
    this.#options = options;
    const { identity, protocol, handshakeTimeoutMs } = options;
    const serverOptions: TlsOptions = {
      ...contextOptions(identity),
      ALPNProtocols: [protocol],
      handshakeTimeout: handshakeTimeoutMs,
      requestCert: identity.authorities !== undefined,
      rejectUnauthorized: true,
    };
    this.#server = createServer(serverOptions);
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#fail(error, socket));
  }

  /** Takes over an accepted socket that nobody has read from. */
  accept(socket: Socket): void {
    if (socket.destroyed) return;
    this.#pending.add(socket);
    // Whoever has closed its half will finish no handshake. (The TLSSocket takes this over, and its user may change it.)
    socket.allowHalfOpen = false;
    socket.on('error', ignore); // the TLSSocket around it hears of it too
    socket.once('close', () => this.#settle(socket));
    this.#server.emit('connection', socket);
  }

  /** The identity of connections to come. Those that there are go on with theirs. */
  setIdentity(identity: TlsIdentity): void {
    this.#server.setSecureContext(contextOptions(identity));
  }

  /** Resolves when no handshake is under way any more; one that takes long is given up. */
  async drain(): Promise<void> {
    if (this.#pending.size === 0) return;
    const timer = setTimeout(() => this.close(), DRAIN_HANDSHAKE_TIMEOUT_MS);
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    clearTimeout(timer);
  }

  /** Cuts connections whose handshake is under way; the others are their user's. */
  close(): void {
    for (const socket of this.#pending) socket.destroy();
  }

  stats(): TlsStats {
    return { pending: this.#pending.size, full: this.#full, resumed: this.#resumed, failed: { ...this.#failed } };
  }

  #secured(socket: TLSSocket): void {
    // After an error of TLS itself a TLSSocket stays open until somebody closes it.
    socket.on('error', () => socket.destroy());
    // TLS 1.3 has no renegotiation. Each one that 1.2 refused without ending would be an answer that waits to be taken.
    if (socket.getProtocol() === 'TLSv1.2') socket.disableRenegotiation();
    if (socket.isSessionReused()) this.#resumed++;
    else this.#full++;
    this.#settle(acceptedSocketOf(socket));
    this.#options.onSecure(socket);
  }

  #fail({ code = '' }: NodeJS.ErrnoException, socket: TLSSocket): void {
    const failure = handshakeFailure(code, socket.authorizationError);
    this.#failed[failure]++;
    this.#options.onFailed?.(failure, code);
    const { answerToPlainHttp } = this.#options;
    // Nothing has been sent yet, and TLS has nothing to say to such a peer.
    if (failure === 'plain-http' && answerToPlainHttp !== undefined) {
      acceptedSocketOf(socket).write(answerToPlainHttp, 'latin1');
    }
    socket.destroy();
  }

  #settle(socket: Socket): void {
    this.#pending.delete(socket);
    if (this.#pending.size === 0) this.#onIdle?.();
  }
}

/** What a server says before its first TLS message in place of one: a fatal alert, RFC 8446 6.2: internal_error. */
export const TLS_REFUSAL = Buffer.from([21, 3, 1, 0, 2, 2, 80]);

function contextOptions({ certificate, key, authorities, ticketKeys }: TlsIdentity): SecureContextOptions {
  return {
    cert: certificate,
    key,
    ...(authorities === undefined ? {} : { ca: authorities }),
    // Whatever the command line of Node.js allows.
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ticketKeys: Buffer.from(ticketKeys),
    // Of whoever shares the ticket keys; without it OpenSSL would refuse to resume where certificates are asked for.
    sessionIdContext: 'tls',
  };
}

function ignore(): void {}
