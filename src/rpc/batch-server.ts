// batch-server.ts: the server's side of a batch stream. Messages are handled as they come, several at a time if they take
// their time, and answered in the order of the requests, whatever the order in which the handler finishes.
//
//   read ─► handle() ─► slots [done] [open] [done] ─► answers leave from the front
//    ▲                           │
//    └ no reading while IN_FLIGHT_MAX slots are open, or while the peer does not read its answers
//
// The headers go out at once: for a BatchStream they are the sign that the stream is up.
// When the server is drained (drainBatches, called by GrpcThread) the stream stops reading, answers what it has read, and
// ends in order; the client sends what was not answered again, elsewhere.

import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import { RpcError } from './rpc-error.js';

/** Messages of one stream that are handled at a time; the client's window is mostly smaller. */
const IN_FLIGHT_MAX = 16;

/**
 * Serves a bidirectional stream message by message.
 * An error of `handle` ends the stream after the answers before it; give an RpcError to choose the status (else INTERNAL).
 */
export function serveBatches<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  handle: (request: Request) => Promise<Response> | Response,
): void {
  const serving = new BatchServing(call, handle);
  servings.set(call, serving);
  serving.start();
}

/** Ends a stream served by serveBatches, in order; false if it is none. */
export function drainBatches(call: object): boolean {
  const serving = servings.get(call);
  serving?.drain();
  return serving !== undefined;
}

/** The streams being served: what lets a drain find them without the service's help. */
const servings = new WeakMap<object, { drain(): void }>();

interface Slot<Response> {
  outcome: { response: Response } | { error: unknown } | undefined;
}

class BatchServing<Request, Response> {
  readonly #call: ServerDuplexStream<Request, Response>;
  readonly #handle: (request: Request) => Promise<Response> | Response;
  /** Requests read and not answered, oldest first. */
  readonly #slots: Slot<Response>[] = [];
  #isPeerSlow = false;
  #isLastRead = false;
  #isEnded = false;

  constructor(call: ServerDuplexStream<Request, Response>, handle: (request: Request) => Promise<Response> | Response) {
    this.#call = call;
    this.#handle = handle;
  }

  start(): void {
    const call = this.#call;
    call.sendMetadata(new Metadata());
    call.on('data', (request: Request) => this.#onRequest(request));
    call.on('end', () => this.drain());
    call.on('cancelled', () => {
      this.#isEnded = true;
    });
    call.on('drain', () => {
      this.#isPeerSlow = false;
      this.#answer();
    });
  }

  /** Reads no more; ends the stream once all that was read is answered. */
  drain(): void {
    this.#isLastRead = true;
    this.#call.pause();
    this.#answer();
  }

  #onRequest(request: Request): void {
    if (this.#isEnded || this.#isLastRead) return;
    const slot: Slot<Response> = { outcome: undefined };
    this.#slots.push(slot);
    try {
      const response = this.#handle(request);
      if (response instanceof Promise) {
        response.then(
          (value) => this.#settle(slot, { response: value }),
          (error: unknown) => this.#settle(slot, { error }),
        );
        if (this.#slots.length >= IN_FLIGHT_MAX) this.#call.pause();
      } else {
        this.#settle(slot, { response });
      }
    } catch (error) {
      this.#settle(slot, { error });
    }
  }

  #settle(slot: Slot<Response>, outcome: { response: Response } | { error: unknown }): void {
    slot.outcome = outcome;
    this.#answer();
  }

  /** Sends the answers that are next in order, then reads on or ends. */
  #answer(): void {
    while (!this.#isEnded && !this.#isPeerSlow) {
      const outcome = this.#slots[0]?.outcome;
      if (outcome === undefined) break;
      this.#slots.shift();
      if ('error' in outcome) this.#fail(outcome.error);
      else this.#isPeerSlow = !this.#call.write(outcome.response);
    }
    if (this.#isEnded) return;
    if (this.#isLastRead) {
      if (this.#slots.length === 0) this.#end();
    } else if (this.#isPeerSlow || this.#slots.length >= IN_FLIGHT_MAX) {
      this.#call.pause();
    } else if (this.#call.isPaused()) {
      this.#call.resume();
    }
  }

  #end(): void {
    this.#isEnded = true;
    this.#call.end();
  }

  #fail(error: unknown): void {
    this.#isEnded = true;
    // grpc-js turns an 'error' event with a status code into the status of the call.
    this.#call.emit('error', RpcError.from(error).toStatus());
  }
}
