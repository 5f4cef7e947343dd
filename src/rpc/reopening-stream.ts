// reopening-stream.ts: a bidirectional stream that is opened again whenever it breaks. It carries messages and knows
// nothing of what they mean; what was lost with a broken stream is its user's business.
//
//   opening ──headers──► up ──ended, by whomever──► down ──back-off──► opening      ... until end() or cancel()
//      └──────────────ended, by whomever─────────────▲
//
// The stream counts as up when the server's headers have come. Before that nobody knows whether there is a server: a
// stream on a channel that is still connecting takes messages too. So the server must send its headers at once, as
// serveBatches does.

import { performance } from 'node:perf_hooks';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { RpcError } from './rpc-error.js';

export interface ReopeningStreamOptions<Request, Response> {
  /** Opens a new stream, without a deadline. */
  open: () => ClientDuplexStream<Request, Response>;
  /** The longest pause before the stream is opened again, in milliseconds. */
  backoffMaxMs: number;
  onUp: () => void;
  onMessage: (message: Response) => void;
  /** A stream has ended, or could not be opened. Another one follows. */
  onDown: (reason: RpcError) => void;
}

/** The second attempt to reopen waits this long, each further one twice as long, up to `backoffMaxMs`. The first does
 *  not wait: a server that ends a stream in order to restart mostly has a successor, or the channel another address. */
const BACKOFF_MIN_MS = 10;

export class ReopeningStream<Request, Response> {
  readonly #options: ReopeningStreamOptions<Request, Response>;
  /** The stream that is opening or up; undefined between two, and after the last. Events of any other are stale. */
  #stream: ClientDuplexStream<Request, Response> | undefined;
  #isUp = false;
  #hasProgress = false;
  #downSince = performance.now();
  #backoffMs = 0;
  #reopenTimer: NodeJS.Timeout | undefined;

  constructor(options: ReopeningStreamOptions<Request, Response>) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Since when the stream has not been up, on the clock of performance.now(), in milliseconds. */
  get downSince(): number {
    return this.#downSince;
  }

  open(): void {
    this.#hasProgress = false;
    let stream: ClientDuplexStream<Request, Response>;
    try {
      stream = this.#options.open();
    } catch (error) {
      // A channel that was closed under us throws.
      this.break(RpcError.from(error));
      return;
    }
    this.#stream = stream;
    stream.on('metadata', () => {
      if (this.#stream !== stream) return;
      this.#isUp = true;
      this.#options.onUp();
    });
    stream.on('data', (message: Response) => {
      if (this.#stream === stream) this.#options.onMessage(message);
    });
    stream.on('error', (error) => {
      if (this.#stream === stream) this.break(RpcError.from(error));
    });
    // With any status but OK, 'error' comes first.
    stream.on('end', () => {
      if (this.#stream === stream) this.break(new RpcError('UNAVAILABLE', 'the peer ended the stream'));
    });
  }

  write(message: Request): void {
    this.#stream?.write(message);
  }

  /** The peer does its work: the next break is the first one again. Merely coming up is no progress, else a message that
   *  makes the peer fall over would be sent to it without a pause. */
  noteProgress(): void {
    this.#hasProgress = true;
  }

  /** Gives the present stream up, whether or not it has ended already, and opens another after the back-off. */
  break(reason: RpcError): void {
    const stream = this.#stream;
    if (this.#isUp) this.#downSince = performance.now();
    this.#stream = undefined;
    this.#isUp = false;
    if (this.#hasProgress) this.#backoffMs = 0;
    this.#reopenTimer = setTimeout(() => this.open(), this.#backoffMs);
    this.#backoffMs = Math.min(this.#options.backoffMaxMs, Math.max(BACKOFF_MIN_MS, this.#backoffMs * 2));
    stream?.cancel();
    this.#options.onDown(reason);
  }

  /** No more messages from this side: lets the peer end the stream in order. The last thing done with it. */
  end(): void {
    const stream = this.#stream;
    const wasUp = this.#isUp;
    this.#leave();
    if (wasUp) stream?.end();
    else stream?.cancel();
  }

  /** Ends the stream at once, and for good. */
  cancel(): void {
    const stream = this.#stream;
    this.#leave();
    stream?.cancel();
  }

  #leave(): void {
    clearTimeout(this.#reopenTimer);
    this.#stream = undefined;
    this.#isUp = false;
  }
}
