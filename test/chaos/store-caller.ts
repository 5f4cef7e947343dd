// store-caller.ts: one buyer's connection to the store, opened again whenever it is lost.

import { ClientConnection, HttpError } from '../../src/http/index.js';

/** What became of one request. `open`: it was sent and nobody answered; `unsent`: it never left. */
export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'unsent' };

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Hang up after this many milliseconds without an answer. */
  readonly hangUpAfterMs?: number | undefined;
}

/** An order is answered within 10 s, but not while the front end is stopped. */
const ANSWER_TIMEOUT_MS = 15_000;

export class StoreCaller {
  readonly #port: number;
  #connection: ClientConnection | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends one request, once. Rejects for what is no HTTP answer. */
  async call(method: string, target: string, options: CallOptions = {}): Promise<Reply> {
    if (this.#connection === undefined || !this.#connection.isOpen) {
      this.#connection = new ClientConnection({ host: '127.0.0.1', port: this.#port, timeoutMs: ANSWER_TIMEOUT_MS });
    }
    const connection = this.#connection;
    const { hangUpAfterMs, ...request } = options;
    const hangUp = hangUpAfterMs === undefined ? undefined : setTimeout(() => connection.close(), hangUpAfterMs);
    try {
      const { status, body } = await connection.request(method, target, request);
      return { kind: 'answer', status, body: body.toString() };
    } catch (error) {
      connection.close();
      if (!(error instanceof HttpError)) throw error;
      switch (error.code) {
        case 'CONNECT_FAILED':
          return { kind: 'unsent' };
        case 'CONNECTION_LOST':
        case 'CUT_SHORT':
        case 'RESPONSE_TIMEOUT':
          return { kind: 'open' };
        default:
          throw error;
      }
    } finally {
      clearTimeout(hangUp);
    }
  }

  close(): void {
    this.#connection?.close();
  }
}
