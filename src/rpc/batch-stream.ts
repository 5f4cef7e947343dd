// batch-stream.ts: the client's side of one long-lived bidirectional stream that carries many calls in each message,
// because an HTTP/2 message costs far more than a call does.
//
//   call() ─► waiting ─► [a b c] ─► in flight, at most windowMax messages ─► answers, in order ─► outcomes
//                 ▲         ▲
//                 │         └ leaves when the window has room, with all that came meanwhile; no timer: see departure.ts
//                 └ bounded; full: RESOURCE_EXHAUSTED
//
// Nothing is sent before the stream is up, so `sent: false` in an error is the truth. What was in flight on a stream that
// broke is sent again on the next one, in the same order and before anything new. So calls must bear being executed twice:
// look-ups do, and purchases carry a tag or a key.

import { performance } from 'node:perf_hooks';
import { BatchQueue, PendingCall } from './batch-queue.js';
import { BatchStatistics, type BatchStreamStats } from './batch-statistics.js';
import {
  BACKOFF_MAX_DEFAULT_MS,
  type BatchStreamOptions,
  DEADLINE_CHECK_MS,
  FINAL_CODES,
} from './batch-stream-options.js';
import { Departure } from './departure.js';
import { batchOf, forEachCallOf, type InFlightBatch, InFlightBatches } from './in-flight-batches.js';
import { ReopeningStream } from './reopening-stream.js';
import { RpcError } from './rpc-error.js';

export class BatchStream<Item, Outcome, Request, Response> {
  readonly #options: BatchStreamOptions<Item, Outcome, Request, Response>;
  readonly #deadlineMs: number;
  readonly #failFastMs: number;
  readonly #queue: BatchQueue<Item, Outcome>;
  readonly #statistics = new BatchStatistics();
  readonly #stream: ReopeningStream<Request, Response>;
  readonly #inFlight = new InFlightBatches<Item, Outcome>();
  readonly #departure: Departure;
  /** Why calls fail while the stream is down; made once, not for each call. */
  #unreachable = new RpcError('UNAVAILABLE', 'the peer has not answered yet');
  readonly #queueFull: RpcError;
  #lastReported: boolean | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** Opens the stream at once, and again whenever it breaks, until it is closed. */
  constructor(options: BatchStreamOptions<Item, Outcome, Request, Response>) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? Number.POSITIVE_INFINITY;
    this.#failFastMs = options.failFastMs ?? Number.POSITIVE_INFINITY;
    this.#queueFull = new RpcError(
      'RESOURCE_EXHAUSTED',
      `the queue is full: ${options.queueItemsMax} calls are waiting already`,
    );
    this.#queue = new BatchQueue(options);
    this.#departure = new Departure(this.#queue, options.batchItemsMax, () => this.#send());
    this.#stream = new ReopeningStream({
      open: options.open,
      backoffMaxMs: options.backoffMaxMs ?? BACKOFF_MAX_DEFAULT_MS,
      onUp: () => this.#onUp(),
      onMessage: (response) => this.#onAnswer(response),
      onDown: (reason) => this.#onDown(reason),
    });
    this.#stream.open();
  }

  /** Whether the stream is up: the peer has answered its opening. */
  get isConnected(): boolean {
    return this.#stream.isUp;
  }

  /**
   * The outcome for `item`.
   * Rejects with an RpcError whose `sent` says whether the peer may have acted:
   * - DEADLINE_EXCEEDED: no answer within `deadlineMs`
   * - RESOURCE_EXHAUSTED: too many calls wait; never sent
   * - UNAVAILABLE: the peer has been out of reach for `failFastMs`
   * - CANCELLED: this stream was closed
   * - INTERNAL: the peer broke the protocol, or the item cannot be packed
   * - the code of a peer that refused the batch, such as FAILED_PRECONDITION
   */
  call(item: Item): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const now = performance.now();
      const refusal = this.#refusal(now);
      if (refusal !== undefined) {
        this.#statistics.refused++;
        return reject(refusal);
      }
      if (!this.#queue.add(new PendingCall(item, now + this.#deadlineMs, resolve, reject))) {
        this.#statistics.refused++;
        return reject(this.#queueFull);
      }
      this.#statistics.calls++;
      this.#departure.noteCall(now);
      if (this.#deadlineTimer === undefined) this.#armDeadlineTimer();
      if (this.isConnected && this.#inFlight.count < this.#options.windowMax) this.#departure.soon();
    });
  }

  stats(): BatchStreamStats {
    return {
      isConnected: this.isConnected,
      waitingCalls: this.#queue.callCount,
      inFlightBatches: this.#inFlight.count,
      inFlightItems: this.#inFlight.itemCount,
      ...this.#statistics.snapshot(),
    };
  }

  /** Leaves the present stream for another one: what is in flight is sent again there. */
  reopen(reason: string): void {
    if (!this.#isClosed) this.#stream.break(new RpcError('UNAVAILABLE', reason));
  }

  /** Closes the stream at once; calls without an outcome are rejected with CANCELLED. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#deadlineTimer);
    this.#stream.cancel();
    this.#failAll((sent) => new RpcError('CANCELLED', 'the stream was closed', { sent }));
  }

  // What the stream tells

  #onUp(): void {
    this.#statistics.connects++;
    this.#resend();
    this.#send();
    this.#report(true, undefined);
  }

  /** What was in flight stays, for the next stream. */
  #onDown(reason: RpcError): void {
    this.#unreachable = new RpcError('UNAVAILABLE', reason.message, { cause: reason });
    if (FINAL_CODES.has(reason.code)) {
      this.#failInFlight(new RpcError(reason.code, reason.message, { sent: true, cause: reason }));
    }
    this.#report(false, reason);
  }

  #onAnswer(response: Response): void {
    const batch = this.#inFlight.shift();
    const outcomes = batch === undefined ? undefined : this.#unpack(response, batch);
    if (batch === undefined || outcomes === undefined) {
      const error = new RpcError('INTERNAL', 'the answer does not fit the request', { sent: true });
      if (batch !== undefined) this.#rejectBatch(batch, error);
      this.#stream.break(error);
      return;
    }
    this.#stream.noteProgress();
    const now = performance.now();
    const roundTripMs = now - batch.sentAt;
    this.#statistics.recordRoundTrip(roundTripMs);
    let callCount = 0;
    for (let index = 0; index < outcomes.length; index++) {
      let call = batch.entries[index];
      while (call !== undefined) {
        call.resolve(outcomes[index]!);
        callCount++;
        call = call.follower;
      }
    }
    this.#statistics.answered += callCount;
    this.#departure.noteAnswers(callCount, roundTripMs, now);
  }

  /** undefined where the answer does not fit the batch. */
  #unpack(response: Response, batch: InFlightBatch<Item, Outcome>): Outcome[] | undefined {
    try {
      const outcomes = this.#options.unpack(response, batch.items);
      return outcomes.length === batch.items.length ? outcomes : undefined;
    } catch {
      return undefined;
    }
  }

  #report(isConnected: boolean, reason: RpcError | undefined): void {
    if (this.#lastReported === isConnected) return;
    this.#lastReported = isConnected;
    this.#options.onStateChange?.(isConnected, reason);
  }

  // Batches on their way out

  #send(): void {
    while (this.isConnected && this.#inFlight.count < this.#options.windowMax && !this.#queue.isEmpty) {
      this.#write(batchOf(this.#queue.take()));
    }
  }

  #resend(): void {
    for (const batch of this.#inFlight.takeAwaited()) this.#write(batch);
  }

  #write(batch: InFlightBatch<Item, Outcome>): void {
    let request: Request;
    try {
      request = this.#options.pack(batch.items);
    } catch (cause) {
      const sent = batch.sentAt > 0;
      this.#rejectBatch(batch, new RpcError('INTERNAL', 'the batch cannot be packed', { sent, cause }));
      return;
    }
    batch.sentAt = performance.now();
    this.#inFlight.push(batch);
    this.#statistics.recordBatch(batch.items.length);
    this.#stream.write(request);
  }

  // Calls that get an error

  #refusal(now: number): RpcError | undefined {
    if (this.#isClosed) return new RpcError('CANCELLED', 'the stream is closed');
    return this.#isOutOfReach(now) ? this.#unreachable : undefined;
  }

  #isOutOfReach(now: number): boolean {
    return !this.isConnected && now - this.#stream.downSince >= this.#failFastMs;
  }

  /** Looks for calls past their deadline, for as long as any call is open. */
  #armDeadlineTimer(): void {
    this.#deadlineTimer = setTimeout(() => {
      this.#deadlineTimer = undefined;
      this.#expire(performance.now());
      if (this.#inFlight.count > 0 || !this.#queue.isEmpty) this.#armDeadlineTimer();
    }, DEADLINE_CHECK_MS);
  }

  #expire(now: number): void {
    if (this.#isOutOfReach(now)) {
      const { message, cause } = this.#unreachable;
      this.#failAll((sent) => new RpcError('UNAVAILABLE', message, { sent, cause }));
      return;
    }
    this.#queue.expire(now, this.#rejecterOfLate(false));
    const isAwaited = this.#inFlight.expire(now, this.#rejecterOfLate(true));
    if (this.#inFlight.count === 0 || isAwaited) return;
    // Nobody waits for any of the batches that fill the window: a peer that has got stuck must not hold up those behind,
    // nor need they be sent again.
    if (this.isConnected) this.#stream.break(new RpcError('DEADLINE_EXCEEDED', 'the peer has stopped answering'));
    else this.#inFlight.takeAll();
  }

  #rejecterOfLate(sent: boolean): (call: PendingCall<Item, Outcome>) => void {
    let error: RpcError | undefined;
    return (call) => {
      error ??= new RpcError('DEADLINE_EXCEEDED', `timed out after ${this.#deadlineMs} ms waiting for the answer`, {
        sent,
      });
      this.#statistics.failed++;
      call.reject(error);
    };
  }

  #failAll(errorFor: (sent: boolean) => RpcError): void {
    this.#failInFlight(errorFor(true));
    const error = errorFor(false);
    while (!this.#queue.isEmpty) this.#rejectBatch(batchOf(this.#queue.take()), error);
  }

  #failInFlight(error: RpcError): void {
    for (const batch of this.#inFlight.takeAll()) this.#rejectBatch(batch, error);
  }

  #rejectBatch(batch: InFlightBatch<Item, Outcome>, error: RpcError): void {
    forEachCallOf(batch, (call) => {
      this.#statistics.failed++;
      call.reject(error);
    });
  }
}
