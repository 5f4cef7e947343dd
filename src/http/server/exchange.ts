// exchange.ts: one request and its answer, as a handler sees them.
//
// A handler runs when the request is complete, and answers once: before it returns, or any time later; at once or in parts. Answers of one
// connection leave in the order of its requests, whatever order the handlers finish in.
//
// After its answer an exchange is over: asking it for a header is an assertion error. A handler that answers before it
// returns must not keep the exchange, for the object then serves the connection's next request.
import type { ReadyBody } from './answer-writer.js';
import type { PreparedHeaders } from './prepared-headers.js';
import type { ResponseStream, StreamEvents } from './response-stream.js';

export interface Exchange {
  /** As sent: case-sensitive. A HEAD request that goes to a GET handler says HEAD; its body is left out by itself. */
  readonly method: string;
  /** The request target as sent, percent-encoding and query included. */
  readonly target: string;
  /** The pattern that the path matched, "/products/:name", or what its route is called; for logs and metrics. */
  readonly route: string;
  /** The whole body; empty where there is none. The handler may keep it. */
  readonly body: Buffer;
  /**
   * What this request is called in logs; '' if it has no name. The client's `X-Request-Id` where the server looks for it
   * (`HttpServerOptions.requestIds`); a handler may give one to a request that came without.
   */
  requestId: string;
  /**
   * What goes along with this request for whoever serves it, a span for example: given by `HttpServerOptions.onRequest`,
   * handed back with its answer. The server does not look at it.
   */
  companion: object | undefined;
  /** The peer has gone: an answer would reach nobody. `send()` is still allowed. */
  readonly isAborted: boolean;
  /** A parameter of the route's pattern, percent-decoded once. */
  parameter(name: string): string;
  /** A header by its lower-case name, Latin-1; several lines are joined with ", ". */
  header(lowerCaseName: string): string | undefined;
  /**
   * Answers.
   * @param status 200 to 599
   * @param body text is sent as UTF-8
   * @param headers what the answer says besides length, date and connection; JSON by default
   */
  send(status: number, body: string | Uint8Array, headers?: PreparedHeaders): void;
  /** As `send`, with nothing left to be done for the body. */
  sendReady(status: number, body: ReadyBody, headers?: PreparedHeaders): void;
  /**
   * Answers with a body that is made while it is sent, and may never end (server-sent events): time-outs for idle
   * connections leave it alone, and a peer that takes none of what waits for it is cut.
   * @param status 200 to 599, not 204 or 304, which have no body
   */
  stream(status: number, headers: PreparedHeaders, events?: StreamEvents): ResponseStream;
  /** Answers `{"error":{"code":status,"message":message}}`. */
  sendError(status: number, message: string, headers?: PreparedHeaders): void;
}

/** Serves a route. A promise that rejects, like a throw, is answered with 500 and reported. */
export type Handler = (exchange: Exchange) => void | Promise<void>;
