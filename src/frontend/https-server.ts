// https-server.ts: the HTTP sessions of one thread behind TLS: what comes is decrypted, and served as ever.

import type { Socket } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import { HTTPS_IDENTITY } from '../certificates.js';
import { DEFAULT_LIMITS, type HttpServer } from '../http/index.js';
import type { Log } from '../log.js';
import { registerReadings, type ThreadMetrics } from '../metrics/index.js';
import { tlsReadings } from '../store-metrics/tls-readings.js';
import type { TlsIdentity } from '../tls/tls-identity.js';
import { TlsTerminator } from '../tls/tls-terminator.js';
import { followIdentity } from '../tls/watched-identity.js';

export interface HttpsServerOptions {
  readonly identity: TlsIdentity;
  /** Brings the identities that come after it. */
  readonly port: MessagePort;
  readonly log: Log;
  readonly metrics: ThreadMetrics;
}

const PLAIN_HTTP_BODY = '{"error":{"code":400,"message":"this port speaks HTTPS: ask with https://"}}';
const PLAIN_HTTP_ANSWER = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: application/json',
  `Content-Length: ${PLAIN_HTTP_BODY.length}`,
  'Connection: close',
  '',
  PLAIN_HTTP_BODY,
].join('\r\n');

export class HttpsServer {
  readonly #http: HttpServer;
  readonly #terminator: TlsTerminator;

  constructor(http: HttpServer, { identity, port, log, metrics }: HttpsServerOptions) {
    this.#http = http;
    this.#terminator = new TlsTerminator({
      identity,
      protocol: 'http/1.1',
      // A handshake is what a head is in plain HTTP: the first that a peer has to bring, and no more than a few bytes.
      handshakeTimeoutMs: DEFAULT_LIMITS.headTimeoutMs,
      answerToPlainHttp: PLAIN_HTTP_ANSWER,
      onSecure: (socket) => http.serve(socket),
      onFailed: (failure, code) => log.debug('handshake failed', { failure, code }),
    });
    followIdentity(port, HTTPS_IDENTITY, (changed) => this.#terminator.setIdentity(changed));
    registerReadings(
      metrics,
      tlsReadings(() => this.#terminator.stats()),
    );
  }

  serve(socket: Socket): void {
    this.#terminator.accept(socket);
  }

  /** A connection whose handshake is under way is served its request too. */
  async drain(): Promise<void> {
    await Promise.all([this.#http.drain(), this.#terminator.drain()]);
    await this.#http.drain();
  }

  close(): void {
    this.#terminator.close();
    this.#http.close();
  }
}
