// batch-stream.ts: the client's side of one long-lived bidirectional stream that carries many calls in each message,
// because an HTTP/2 message costs far more than a call does.
//
//   call() ─► waiting ─► [a b c] ─► in flight, at most windowMax messages ─► answers, in order ─► outcomes
//                 ▲         ▲
//                 │         └ leaves when the window has room, with all that came meanwhile; there is no timer in this
//                 └ bounded; full: RESOURCE_EXHAUSTED
//
//   closed ◄── opening ──headers──► connected ──broken──► waiting to reopen ──back-off──► opening
//
// The stream counts as up when the server's headers have come, and nothing is sent before: so `sent: false` in an error is
// the truth. The server must send its headers at once, as serveBatches does.
// What was in flight on a stream that broke is sent again on the next one, in the same order and before anything new. So
// the calls must bear being executed twice: look-ups do, and purchases carry a tag or a key.

import { performance } from 'node:perf_hooks';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { BatchQueue, expireCalls, forEachCall, PendingCall } from './batch-queue.js';
import { BatchStatistics, type BatchStreamStats } from './batch-statistics.js';
import { type RpcCode, RpcError } from './rpc-error.js';

export interface BatchStreamOptions<Item, Outcome, Request, Response> {
  /** Opens a new stream on the channel, without a deadline. */
  open: () => ClientDuplexStream<Request, Response>;
  /** The message for these items; at least one. Called anew when a batch is sent again, then perhaps with fewer. */
  pack: (items: Item[]) => Request;
  /** One outcome for each of the items that the message was packed from, in their order. Any other number, or throwing,
   *  means that the peer broke the protocol. */
  unpack: (response: Response, items: Item[]) => Outcome[];
  /** Items of one key that wait at the same time share one place in the batch, and its outcome. */
  keyOf?: (item: Item) => string | number;
  /** Messages that may be unanswered at a time. */
  windowMax: number;
  /** Items in one message. */
  batchItemsMax: number;
  /** Calls that may wait for a batch; one more is refused with RESOURCE_EXHAUSTED. */
  queueItemsMax: number;
  /** How long calls wait for a stream that is down before all of them, and every new one, fail with UNAVAILABLE, until
   *  it is up again. Infinity (the default): to their deadlines. */
  failFastMs?: number;
  /** The longest pause before the stream is opened again. */
  backoffMaxMs?: number;
  /** Told when the stream has come up, and when it is down, with the reason. For logs and readiness. */
  onStateChange?: (isConnected: boolean, reason: RpcError | undefined) => void;
}

/** Expired calls are looked for this often: a deadline is met to within this. One timer for all calls, because one for
 *  each would cost more than the call. */
const DEADLINE_CHECK_MS = 20;
/** The second attempt to reopen waits this long, each further one twice as long, up to `backoffMaxMs`. The first does
 *  not wait: a server that ends a stream in order to restart mostly has a successor, or the channel another address. */
const BACKOFF_MIN_MS = 10;
/** Opening a stream on a channel that is down costs well under a millisecond and sends nothing; the channel has a back-off
 *  of its own, and the two add up, so this one stays far below a second. */
const BACKOFF_MAX_DEFAULT_MS = 250;

/** Statuses by which a peer refuses a batch: sending it again would get the same answer. All others are tried again. */
const REFUSALS: ReadonlySet<RpcCode> = new Set<RpcCode>([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'FAILED_PRECONDITION',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]);

/** A batch that was sent and is not answered. An entry is undefined once nobody waits for it any more. */
interface InFlightBatch<Item, Outcome> {
  entries: (PendingCall<Item, Outcome> | undefined)[];
  items: Item[];
  /** On the clock of performance.now(), in milliseconds; 0: not sent yet. */
  sentAt: number;
}

export class BatchStream<Item, Outcome, Request, Response> {
  readonly #options: BatchStreamOptions<Item, Outcome, Request, Response>;
  readonly #queue: BatchQueue<Item, Outcome>;
  readonly #statistics = new BatchStatistics();
  readonly #failFastMs: number;
  readonly #backoffMaxMs: number;
  /** Oldest first: the head is the one that the next answer is for. */
  readonly #inFlight: InFlightBatch<Item, Outcome>[] = [];

  /** The stream that is opening or up; undefined between two. Events of any other stream are stale. */
  #stream: ClientDuplexStream<Request, Response> | undefined;
  #isConnected = false;
  #hasAnswered = false;
  #downSince = performance.now();
  #downReason: RpcError | undefined;
  #backoffMs = 0;
  #reopenTimer: NodeJS.Timeout | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #isSendScheduled = false;
  #isClosed = false;
  #drained: { promise: Promise<void>; resolve: () => void } | undefined;

  /** Opens the stream at once, and again whenever it breaks, until it is closed. */
  constructor(options: BatchStreamOptions<Item, Outcome, Request, Response>) {
    this.#options = options;
    this.#queue = new BatchQueue(options);
    this.#failFastMs = options.failFastMs ?? Number.POSITIVE_INFINITY;
    this.#backoffMaxMs = options.backoffMaxMs ?? BACKOFF_MAX_DEFAULT_MS;
    this.#open();
  }

  /** Whether the stream is up: the peer has answered its opening. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /**
   * The outcome for `item`, at the latest `deadlineMs` from now; Infinity: no deadline.
   * Rejects with an RpcError whose `sent` says whether the peer may have acted:
   * - DEADLINE_EXCEEDED: no answer in time (to within 20 ms)
   * - RESOURCE_EXHAUSTED: too many calls wait; never sent
   * - UNAVAILABLE: the peer has been out of reach for `failFastMs`, or this stream is being drained
   * - CANCELLED: this stream was closed
   * - INTERNAL: the peer broke the protocol
   * - the code of a peer that refused the batch, such as FAILED_PRECONDITION
   */
  call(item: Item, deadlineMs: number): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed || this.#drained !== undefined) return reject(this.#refusal());
      const now = performance.now();
      if (!this.#isConnected && this.#isOutOfReach(now)) return reject(this.#unavailable(false));
      if (!this.#queue.add(new PendingCall(item, now + deadlineMs, resolve, reject))) {
        this.#statistics.refused++;
        return reject(new RpcError('RESOURCE_EXHAUSTED', `${this.#options.queueItemsMax} calls wait already`));
      }
      this.#statistics.calls++;
      if (this.#deadlineTimer === undefined) this.#armDeadlineTimer();
      this.#scheduleSend();
    });
  }

  stats(): BatchStreamStats {
    let inFlightItems = 0;
    for (const batch of this.#inFlight) inFlightItems += batch.items.length;
    return {
      isConnected: this.#isConnected,
      waitingCalls: this.#queue.callCount,
      inFlightBatches: this.#inFlight.length,
      inFlightItems,
      ...this.#statistics.snapshot(),
    };
  }

  /** Takes no more calls, waits until those taken in have their outcome or their error, and closes the stream. */
  drain(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    if (this.#drained === undefined) {
      let resolve = () => {};
      const promise = new Promise<void>((resolvePromise) => {
        resolve = resolvePromise;
      });
      this.#drained = { promise, resolve };
      this.#settleDrain();
    }
    return this.#drained.promise;
  }

  /** Closes the stream at once; calls without an outcome are rejected with CANCELLED. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#reopenTimer);
    clearTimeout(this.#deadlineTimer);
    const stream = this.#stream;
    this.#stream = undefined;
    this.#isConnected = false;
    stream?.cancel();
    this.#failAll((sent) => new RpcError('CANCELLED', 'the stream was closed', { sent }));
    this.#drained?.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // The life of the stream

  #open(): void {
    this.#hasAnswered = false;
    let stream: ClientDuplexStream<Request, Response>;
    try {
      stream = this.#options.open();
    } catch (error) {
      // A channel that was closed under us throws.
      this.#onBroken(RpcError.from(error));
      return;
    }
    this.#stream = stream;
    stream.on('metadata', () => {
      if (this.#stream === stream) this.#onConnected();
    });
    stream.on('data', (response: Response) => {
      if (this.#stream === stream) this.#onAnswer(response);
    });
    stream.on('error', (error) => {
      if (this.#stream === stream) this.#onBroken(RpcError.from(error));
    });
    // With any status but OK, 'error' comes first.
    stream.on('end', () => {
      if (this.#stream === stream) this.#onBroken(new RpcError('UNAVAILABLE', 'the peer ended the stream'));
    });
  }

  #onConnected(): void {
    this.#isConnected = true;
    this.#downReason = undefined;
    this.#statistics.connects++;
    this.#resend();
    this.#send();
    this.#options.onStateChange?.(true, undefined);
  }

  /** The stream has ended, whoever ended it: what was in flight stays, for the next one. */
  #onBroken(reason: RpcError): void {
    const now = performance.now();
    const wasConnected = this.#isConnected;
    this.#stream = undefined;
    this.#isConnected = false;
    this.#downReason = reason;
    if (wasConnected) this.#downSince = now;
    // A stream that came up but never answered is no progress: a batch that breaks the peer would else be sent without end.
    if (this.#hasAnswered) this.#backoffMs = 0;
    if (REFUSALS.has(reason.code)) {
      this.#failInFlight(new RpcError(reason.code, reason.message, { sent: true, cause: reason }));
    }
    this.#reopenTimer = setTimeout(() => this.#open(), this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMaxMs, Math.max(BACKOFF_MIN_MS, this.#backoffMs * 2));
    if (wasConnected) this.#options.onStateChange?.(false, reason);
    this.#settleDrain();
  }

  /** The peer broke the protocol: the batch at the head fails, the stream is given up, the others are sent again. */
  #onProtocolError(): void {
    const error = new RpcError('INTERNAL', 'the answer does not fit the request', { sent: true });
    const batch = this.#inFlight.shift();
    if (batch !== undefined) this.#rejectBatch(batch, error);
    const stream = this.#stream;
    this.#onBroken(error);
    stream?.cancel();
  }

  // Batches

  /** Sends after the present callback: the calls that it makes leave together. */
  #scheduleSend(): void {
    if (this.#isSendScheduled || !this.#isConnected || this.#inFlight.length >= this.#options.windowMax) return;
    this.#isSendScheduled = true;
    setImmediate(() => {
      this.#isSendScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    while (this.#isConnected && this.#inFlight.length < this.#options.windowMax && !this.#queue.isEmpty) {
      const entries = this.#queue.take();
      const items = new Array<Item>(entries.length);
      for (let index = 0; index < entries.length; index++) items[index] = entries[index]!.item;
      this.#write({ entries, items, sentAt: 0 });
    }
  }

  #resend(): void {
    const batches = this.#inFlight.splice(0);
    for (const batch of batches) {
      const entries = batch.entries.filter((entry) => entry !== undefined);
      if (entries.length === 0) continue;
      batch.entries = entries;
      batch.items = entries.map((entry) => entry.item);
      this.#write(batch);
    }
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
    this.#stream?.write(request);
  }

  #onAnswer(response: Response): void {
    const batch = this.#inFlight[0];
    const outcomes = batch === undefined ? undefined : this.#unpack(response, batch);
    if (batch === undefined || outcomes === undefined) {
      this.#onProtocolError();
      return;
    }
    this.#inFlight.shift();
    this.#hasAnswered = true;
    this.#statistics.recordRoundTrip(performance.now() - batch.sentAt);
    for (let index = 0; index < outcomes.length; index++) {
      let call = batch.entries[index];
      while (call !== undefined) {
        call.resolve(outcomes[index]!);
        this.#statistics.answered++;
        call = call.follower;
      }
    }
    this.#send();
    this.#settleDrain();
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

  // Calls that get an error

  /** Looks for calls past their deadline, for as long as any call is open. */
  #armDeadlineTimer(): void {
    this.#deadlineTimer = setTimeout(() => {
      this.#deadlineTimer = undefined;
      this.#expire();
      if (this.#inFlight.length > 0 || !this.#queue.isEmpty) this.#armDeadlineTimer();
      this.#settleDrain();
    }, DEADLINE_CHECK_MS);
  }

  #expire(): void {
    const now = performance.now();
    if (!this.#isConnected && this.#isOutOfReach(now)) {
      this.#failAll((sent) => this.#unavailable(sent));
      return;
    }
    const expire = (sent: boolean) => (call: PendingCall<Item, Outcome>) => {
      this.#statistics.failed++;
      call.reject(new RpcError('DEADLINE_EXCEEDED', 'no answer in time', { sent }));
    };
    this.#queue.expire(now, expire(false));
    const expireSent = expire(true);
    for (const { entries } of this.#inFlight) {
      for (let index = 0; index < entries.length; index++) {
        const entry = entries[index];
        if (entry !== undefined) entries[index] = expireCalls(entry, now, expireSent);
      }
    }
  }

  #failAll(errorFor: (sent: boolean) => RpcError): void {
    this.#failInFlight(errorFor(true));
    const error = errorFor(false);
    while (!this.#queue.isEmpty) this.#rejectBatch({ entries: this.#queue.take(), items: [], sentAt: 0 }, error);
    this.#settleDrain();
  }

  #failInFlight(error: RpcError): void {
    for (const batch of this.#inFlight.splice(0)) this.#rejectBatch(batch, error);
  }

  #rejectBatch(batch: InFlightBatch<Item, Outcome>, error: RpcError): void {
    for (const entry of batch.entries) {
      if (entry === undefined) continue;
      forEachCall(entry, (call) => {
        this.#statistics.failed++;
        call.reject(error);
      });
    }
  }

  #isOutOfReach(now: number): boolean {
    return now - this.#downSince >= this.#failFastMs;
  }

  #unavailable(sent: boolean): RpcError {
    const reason = this.#downReason;
    return new RpcError('UNAVAILABLE', reason?.message ?? 'the peer has not answered yet', { sent, cause: reason });
  }

  #refusal(): RpcError {
    if (this.#isClosed) return new RpcError('CANCELLED', 'the stream is closed');
    return new RpcError('UNAVAILABLE', 'the stream is being drained');
  }

  #settleDrain(): void {
    if (this.#drained === undefined || this.#isClosed) return;
    if (this.#inFlight.length > 0 || !this.#queue.isEmpty) return;
    // Half-close instead of cancel: the peer ends its side in order.
    this.#isClosed = true;
    clearTimeout(this.#reopenTimer);
    clearTimeout(this.#deadlineTimer);
    const stream = this.#stream;
    this.#stream = undefined;
    if (this.#isConnected) stream?.end();
    else stream?.cancel();
    this.#isConnected = false;
    this.#drained.resolve();
  }
}
