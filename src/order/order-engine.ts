// order-engine.ts: placing orders: the sequence of steps, and what a crash leaves at each. No sockets, no threads, no
// time of its own: link, log and clock are passed in, so that a simulation can run it and stop it at any step.
//
//   place -> key known? -> waiting -> up to 2 batches in flight -> outcomes in tag order -> order log -> answer
//            (answered)   (no tag)    (tagged, sent)               (refused: answered)      (written)
//                                                                                              └─► synced: settled
//
// | a crash after        | leaves                         | and the next start                                     |
// | ---                  | ---                            | ---                                                    |
// | taking an order      | nothing                        | has nothing to do                                      |
// | sending the batch    | perhaps a sale in the catalog  | Recover tells of it: it becomes the next order         |
// | the catalog's answer | a sale in the catalog          | the same                                               |
// | the log's write      | the same, if the power failed  | the same: it gets the number that was told             |
// | the log's sync       | the order                      | the key gives the number when asked                    |
//
// Tags are consecutive and outcomes are completed strictly in their order, so order numbers are a function of the order
// of sales, and "settled" (all outcomes up to here are on disk) is one number. The catalog has on disk what it answers and
// keeps it until it is settled, so a caller may be told before our own sync (docs/decisions/0005). A tag that was sent is
// driven to its outcome, whoever still waits for it; a purchase that was never sent may be given up.

import { pause, type Timer } from '../clock.js';
import { STOP_BUDGETS } from '../stop-budgets.js';
import { RESULT } from '../store-contract.js';
import type { Span } from '../tracing/index.js';
import { refusalOf } from './catalog-link.js';
import { ENGINE_LIMITS, type EngineLimits, type EngineStats, type OrderEngineOptions } from './engine-options.js';
import { IdempotencyGate } from './keys/idempotency-gate.js';
import { OrderError } from './order-error.js';
import { recoverBooks } from './order-recovery.js';
import type { LoggedOrder, OrderRequest } from './order-types.js';
import { AnswerSheet, type Answers, type PendingOrder } from './pending-order.js';
import { Settlement } from './settlement.js';

/** How often waiting callers are looked through for those whose time is up, and the catalog is told what is settled. */
const TICK_MS = 250;
/** How often a stop looks whether all is done. */
const STOP_STEP_MS = 10;

/** A batch that was sent. */
interface Flight {
  readonly orders: readonly PendingOrder[];
  readonly firstSequence: number;
  results: readonly number[] | undefined;
  readonly span: Span | undefined;
}

const spanOf = ({ request }: PendingOrder): Span | undefined => request.span;

export class OrderEngine {
  /** Settles with the error that ended selling for good; a restart of the process recovers. */
  readonly failed: Promise<Error>;
  readonly #options: OrderEngineOptions;
  readonly #limits: EngineLimits;
  readonly #gate: IdempotencyGate;
  #fail: (error: Error) => void = () => {};
  #phase: 'recovering' | 'open' | 'stopping' | 'stopped' | 'failed' = 'recovering';
  #wasSelling = false;
  #incarnation = 0;
  readonly #tags = new Settlement();
  /** How far the catalog has been told that all is on disk. */
  #settledTold = 0;
  #waiting: PendingOrder[] = [];
  readonly #flights: Flight[] = [];
  #sold: PendingOrder[] = [];
  #logging: readonly PendingOrder[] = [];
  #isLogging = false;
  #isSendScheduled = false;
  #progressAtMs = 0;
  #tickTimer: Timer | undefined;
  #counts = { batches: 0, purchases: 0, groups: 0, orders: 0 };

  constructor(options: OrderEngineOptions) {
    this.#options = options;
    this.#limits = { ...ENGINE_LIMITS, ...options.limits };
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.#gate = new IdempotencyGate({
      findByKey: (key) => options.log.findByKey(key),
      onPending: (pending) => this.#enqueue(pending),
      isSelling: () => this.isSelling,
      onError: (error) => options.logger.error('an order cannot be read back', { error }),
    });
  }

  get isSelling(): boolean {
    return this.#phase === 'open' && this.#options.log.state === 'open' && !this.#isStalled;
  }

  /** Recovers, however long the catalog is away, then sells. Resolves when recovered (or failed or stopped before). */
  async start(): Promise<void> {
    this.#tick();
    try {
      const incarnation = await recoverBooks(this.#options, () => this.#phase === 'recovering');
      if (incarnation !== undefined) this.#open(incarnation);
    } catch (error) {
      this.#end(error as OrderError);
    }
  }

  /**
   * Places orders; resolves when each has an answer.
   *
   * @param requests checked by the caller: names, quantities and keys within their bounds
   * @param timeoutMs how long the callers wait: a purchase that was not sent by then is not sent at all
   */
  place(requests: readonly OrderRequest[], timeoutMs = this.#limits.timeoutMs): Promise<Answers> {
    const sheet = new AnswerSheet(requests.length);
    const deadlineMs = this.#options.clock.monotonicMs() + Math.min(timeoutMs, this.#limits.timeoutMs);
    for (let index = 0; index < requests.length; index++) {
      this.#gate.take({ sheet, index, request: requests[index]!, deadlineMs });
    }
    return sheet.done;
  }

  /** The order of that number, if there is one. */
  get(number: number): Promise<LoggedOrder | undefined> {
    return this.#options.log.get(number);
  }

  /**
   * Takes no more orders, waits for what is in flight, tells the catalog that all of it is on disk, then lets go of those who
   * still wait. The log stays open.
   */
  async stop(): Promise<void> {
    if (this.#phase !== 'failed') this.#phase = 'stopping';
    this.#refuseWaiting();
    const { clock } = this.#options;
    const until = clock.monotonicMs() + STOP_BUDGETS.order.drainMs;
    while (this.#phase === 'stopping' && clock.monotonicMs() < until) {
      if (!this.#isBusy) this.#tellSettled();
      if (!this.#isBusy) break;
      await pause(clock, STOP_STEP_MS);
    }
    this.#releaseSent();
    if (this.#phase === 'stopping') this.#phase = 'stopped';
    this.#tickTimer?.cancel();
    this.#update();
  }

  stats(): EngineStats {
    return {
      isSelling: this.isSelling,
      waiting: this.#waiting.length,
      inFlight: this.#flights.reduce((sum, flight) => sum + flight.orders.length, 0),
      unlogged: this.#sold.length + this.#logging.length,
      unsettled: this.#tags.unsettled,
      ...this.#counts,
    };
  }

  get #isBusy(): boolean {
    return this.#flights.length > 0 || this.#sold.length > 0 || this.#isLogging || this.#tags.isSyncing;
  }

  /** The catalog has not answered for so long that nobody new should wait for it. What was sent keeps asking. */
  get #isStalled(): boolean {
    return this.#flights.length > 0 && this.#options.clock.monotonicMs() - this.#progressAtMs >= this.#limits.timeoutMs;
  }

  get #hasRoomForTags(): boolean {
    return this.#tags.unsettled + this.#limits.batchOrdersMax < this.#limits.unsettledMax;
  }

  #open(incarnation: number): void {
    if (this.#phase !== 'recovering') return;
    this.#phase = 'open';
    this.#incarnation = incarnation;
    this.#options.logger.info('selling', { incarnation, orders: this.#options.log.orderCount });
    this.#update();
  }

  #enqueue(pending: PendingOrder): void {
    if (!this.isSelling || this.#waiting.length >= this.#limits.queueMax) {
      this.#gate.finish(pending, RESULT.NOT_SELLING);
      return;
    }
    this.#waiting.push(pending);
    if (this.#isSendScheduled) return;
    // After the present callback: all orders of one message leave together.
    this.#isSendScheduled = true;
    queueMicrotask(() => {
      this.#isSendScheduled = false;
      this.#send();
    });
  }

  /** Sends what waits, as far as the window allows. */
  #send(): void {
    const { windowMax, batchOrdersMax } = this.#limits;
    while (this.#waiting.length > 0 && this.#flights.length < windowMax && this.#hasRoomForTags && this.isSelling) {
      const orders = this.#waiting.splice(0, batchOrdersMax);
      this.#counts.batches++;
      this.#counts.purchases += orders.length;
      this.#dispatch(orders);
    }
  }

  #dispatch(orders: readonly PendingOrder[]): void {
    const { settled } = this.#tags;
    const firstSequence = this.#tags.take(orders.length);
    const span = this.#options.tracer?.batch('purchase batch', 'client', orders, spanOf);
    const flight: Flight = { orders, firstSequence, results: undefined, span };
    if (this.#flights.length === 0) this.#progressAtMs = this.#options.clock.monotonicMs();
    this.#flights.push(flight);
    this.#settledTold = settled;
    this.#options.link
      .processOrders({
        incarnation: this.#incarnation,
        firstSequence,
        settledSequence: settled,
        purchases: orders.map((pending) => pending.request),
      })
      .then((results) => this.#land(flight, results))
      .catch((error) => this.#end(error));
  }

  /** Where no purchase takes the news along, a batch of none does. */
  #tellSettled(): void {
    const isNews = this.#incarnation > 0 && this.#tags.settled > this.#settledTold;
    if (isNews && this.#flights.length === 0) this.#dispatch([]);
  }

  /** An answer came. Outcomes are completed in tag order, so it may have to wait for those before it. */
  #land(flight: Flight, results: readonly number[]): void {
    if (results.length !== flight.orders.length) {
      throw new OrderError('PROTOCOL', `the catalog answered ${results.length} of ${flight.orders.length} purchases`);
    }
    flight.results = results;
    flight.span?.end();
    this.#progressAtMs = this.#options.clock.monotonicMs();
    while (this.#flights[0]?.results !== undefined) this.#complete(this.#flights.shift()!);
    if (this.#sold.length > 0) void this.#writeLog().catch((error) => this.#end(error));
    else if (!this.#isLogging) this.#tags.rest();
    this.#send();
  }

  #complete(flight: Flight): void {
    for (let index = 0; index < flight.orders.length; index++) {
      const pending = flight.orders[index]!;
      const result = flight.results![index]!;
      if (result === RESULT.DONE) this.#sold.push(pending);
      else this.#gate.finish(pending, refusalOf(result));
      pending.sequence = flight.firstSequence + index;
    }
    this.#tags.complete(flight.firstSequence + flight.orders.length - 1);
  }

  /** Writes all that is sold, group after group: one group while nothing else is written, and all that came meanwhile. */
  async #writeLog(): Promise<void> {
    if (this.#isLogging) return;
    this.#isLogging = true;
    while (this.#sold.length > 0) {
      const group = this.#sold;
      const { completed } = this.#tags;
      this.#sold = [];
      this.#logging = group;
      const { log, tracer } = this.#options;
      const incarnation = this.#incarnation;
      const span = tracer?.batch('order rows', 'internal', group, spanOf);
      const { firstNumber, durable } = await log.append(group.map((pending) => pending.sold(incarnation)));
      span?.end();
      this.#tags.written();
      durable.then(() => this.#settle(completed)).catch((error) => this.#end(error));
      this.#counts.groups++;
      this.#counts.orders += group.length;
      for (let index = 0; index < group.length; index++) {
        this.#gate.finish(group[index]!, RESULT.DONE, firstNumber + index);
      }
      this.#logging = [];
      this.#send();
    }
    this.#isLogging = false;
    this.#tags.rest();
  }

  /** A group is on disk, and so are all before it. */
  #settle(sequence: number): void {
    this.#tags.synced(sequence);
    if (!this.#isLogging) this.#tags.rest();
    this.#send();
  }

  #tick(): void {
    this.#tickTimer = this.#options.clock.after(TICK_MS, () => this.#tick());
    const now = this.#options.clock.monotonicMs();
    const { failure } = this.#options.log;
    if (failure !== undefined) this.#end(failure);
    if (this.isSelling) {
      const lost = this.#waiting.filter((pending) => pending.deadlineMs <= now);
      if (lost.length > 0) {
        this.#waiting = this.#waiting.filter((pending) => pending.deadlineMs > now);
        for (const pending of lost) this.#gate.finish(pending, RESULT.NOT_SELLING);
      }
      this.#send();
      this.#tellSettled();
    } else if (this.#phase !== 'stopping') {
      // A stop waits for what is in flight, as long as it may.
      this.#refuseWaiting();
      this.#releaseSent();
    }
    this.#update();
  }

  #refuseWaiting(): void {
    const refused = this.#waiting;
    this.#waiting = [];
    for (const pending of refused) this.#gate.finish(pending, RESULT.NOT_SELLING);
  }

  /** Lets go of everyone who waits for a purchase that was sent. The purchases themselves stay open. */
  #releaseSent(): void {
    for (const flight of this.#flights) for (const pending of flight.orders) this.#gate.release(pending);
    for (const pending of this.#sold) this.#gate.release(pending);
    for (const pending of this.#logging) this.#gate.release(pending);
  }

  /** The end of selling: what is open now is completed by the recovery of the next start. */
  #end(error: Error): void {
    if (this.#phase === 'failed' || this.#phase === 'stopped') return;
    this.#phase = 'failed';
    this.#options.logger.error(`not selling any more: ${error.message}`, { error: error.cause });
    this.#refuseWaiting();
    this.#releaseSent();
    this.#update();
    this.#fail(error);
  }

  #update(): void {
    const { isSelling } = this;
    if (isSelling === this.#wasSelling) return;
    this.#wasSelling = isSelling;
    this.#options.onSelling?.(isSelling);
  }
}
