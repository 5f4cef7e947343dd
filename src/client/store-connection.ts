// store-connection.ts: one client's connection to the store, made again when it is lost.
//
//   not connected --request--> connected --lost--> not connected      the request that was under way fails, once;
//        |  ^                                                          it is never sent again: an order might be
//        +--+ refused: wait 50 ms, 100 ms, … 1 s, up to 10 s in all    sold twice
//
// The HTTP is the project's own library's; this file adds only what a customer does about a lost connection.

import { setTimeout as pause } from 'node:timers/promises';
import { formatHttpUrl, type HttpOrigin } from '../address.js';
import { ClientConnection, HttpError } from '../http/index.js';

/** An answer of the store, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

/** The request under way got no answer. The next one connects again. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** The store cannot be reached; the message is one line for the user. */
export class StoreUnreachable extends Error {
  override readonly name = 'StoreUnreachable';
}

/** Far above the store's own limits (2 s and 10 s): with strict sessions a client may wait long for a thread. */
const ANSWER_TIMEOUT_MS = 60_000;
const RECONNECT_FIRST_MS = 50;
const RECONNECT_MOST_MS = 1_000;
/** A store whose front end has died is back within 2 s. */
const RECONNECT_GIVE_UP_MS = 10_000;
const UNKNOWN_AUTHORITY = 'nobody known has signed: set NODE_EXTRA_CA_CERTS to a PEM file with its authority';
/** By the codes of node:tls. */
const ADVICE_ON_CERTIFICATES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: 'names another host: ask for it by a name that stands in it',
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
};
const JSON_HEADERS = { 'Content-Type': 'application/json' };

/** A keep-alive connection to one store; one request at a time. */
export class StoreConnection {
  readonly #store: HttpOrigin;
  readonly #signal: AbortSignal;
  #connection: ClientConnection | undefined;
  #hasAnswered = false;

  /** @param signal ends what is under way, and every wait, at once */
  constructor(store: HttpOrigin, signal: AbortSignal) {
    this.#store = store;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.close(), { once: true });
  }

  /**
   * The first request connects, and its latency includes that.
   *
   * @throws ConnectionLost when there was no answer; StoreUnreachable when no connection can be made
   */
  get(target: string): Promise<Answer> {
    return this.#exchange((connection) => connection.request('GET', target));
  }

  post(target: string, json: string): Promise<Answer> {
    return this.#exchange((connection) => connection.request('POST', target, { headers: JSON_HEADERS, body: json }));
  }

  /** What is under way is lost. */
  close(): void {
    this.#connection?.close();
  }

  async #exchange(ask: (connection: ClientConnection) => Promise<Answer>): Promise<Answer> {
    const giveUpMs = performance.now() + RECONNECT_GIVE_UP_MS;
    for (let delayMs = RECONNECT_FIRST_MS; ; delayMs = Math.min(2 * delayMs, RECONNECT_MOST_MS)) {
      try {
        const answer = await ask(this.#open());
        this.#hasAnswered = true;
        return answer;
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        if (error.code !== 'CONNECT_FAILED' || this.#signal.aborted) throw new ConnectionLost(describe(error));
        // A store that was never there is not waited for.
        if (!this.#hasAnswered || performance.now() > giveUpMs) throw this.#unreachable(error);
        await this.#delay(delayMs);
      }
    }
  }

  #open(): ClientConnection {
    if (this.#connection?.isOpen !== true) {
      this.#connection = new ClientConnection({ ...this.#store, timeoutMs: ANSWER_TIMEOUT_MS });
    }
    return this.#connection;
  }

  #unreachable(error: HttpError): StoreUnreachable {
    const url = formatHttpUrl(this.#store);
    const reason = describe(error);
    const advice = ADVICE_ON_CERTIFICATES[reason];
    if (advice !== undefined) return new StoreUnreachable(`${url} has a certificate that ${advice} (${reason})`);
    return new StoreUnreachable(`no store at ${url} (${reason}): start it with \`npm start\`, or set --url`);
  }

  async #delay(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#signal }).catch(() => undefined);
  }
}

/** `ECONNREFUSED` says more to a user than the library's own word for it. */
function describe(error: HttpError): string {
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : error.message;
}
