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
import { LimitedLine } from '../limited-line.js';
import { STOP_BUDGETS } from '../stop-budgets.js';
import { isSold, RESULT } from '../store-contract.js';
import type { Span } from '../tracing/index.js';
import { refusalOf } from './catalog-link.js';
import { ENGINE_LIMITS, type EngineLimits, type EngineStats, type OrderEngineOptions } from './engine-options.js';
import { IdempotencyGate } from './keys/idempotency-gate.js';
import { OrderError } from './order-error.js';
import { recoverBooks } from './order-recovery.js';
import type { LoggedOrder, OrderRequest } from './order-types.js';
import { catalogAway, ParkedCallers } from './parked-callers.js';
import { AnswerSheet, type Answers, type Origin, type PendingOrder } from './pending-order.js';
import { Settlement } from './settlement.js';
import { UntoldSales } from './untold-sales.js';

/** How often waiting callers are looked through for those whose time is up, and the catalog is told what is settled. */
const TICK_MS = 250;
/** How long a look-up waits for the catalog: it is answered within 2 s, if only by 503. */
const LOOKUP_WAIT_MS_MAX = 1_000;
/** How often a stop looks whether all is done. */
const STOP_STEP_MS = 10;

/** Of the newest orders alone, until the catalog has answered for the first time. */
const UNTOLD_KEY_LINE = 'orders sent again cannot be answered before the catalog answers';
/** Customers try again all the time: once a minute, with how many were left out, says that it goes on. */
const UNTOLD_KEY_LINE_MS = 60_000;

/** A batch that was sent. */
interface Flight {
  readonly orders: readonly PendingOrder[];
  readonly firstSequence: number;
  results: readonly number[] | undefined;
  readonly recalls: boolean;
  readonly span: Span | undefined;
}

/** Whoever is nobody's front end. */
const NOBODY: Origin = { stream: 0, holder: 0 };

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
  readonly #untold: UntoldSales;
  readonly #untoldKeys: LimitedLine;
  readonly #parked = new ParkedCallers();
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
    this.#untold = new UntoldSales(options.log.orderCount);
    this.#gate = new IdempotencyGate({
      findByKey: (key) => options.log.findByKey(key),
      onPending: (pending) => this.#enqueue(pending),
      isSelling: () => this.isSelling,
      untilTold: (number) => (this.#untold.isBoundTold(number) ? undefined : this.#askToRecall()),
      onError: (error) => this.#noteUnread(error),
    });
    this.#untoldKeys = new LimitedLine(options.logger, UNTOLD_KEY_LINE, 1, UNTOLD_KEY_LINE_MS);
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
   * @param origin answers on one stream must leave in the order of its messages; one that names a holder sends its next
   *   message when it has carried out the answer to the one before
   */
  place(
    requests: readonly OrderRequest[],
    timeoutMs = this.#limits.timeoutMs,
    origin: Origin = NOBODY,
  ): Promise<Answers> {
    const sheet = new AnswerSheet(requests.length);
    const deadlineMs = this.#options.clock.monotonicMs() + Math.min(timeoutMs, this.#limits.timeoutMs);
    const isTold = this.#untold.isToldTo(origin.stream);
    this.#untold.arrived(origin.stream, this.#options.log.orderCount);
    for (let index = 0; index < requests.length; index++) {
      const caller = { sheet, index, request: requests[index]!, origin, deadlineMs };
      if (isTold) this.#gate.take(caller);
      else this.#parked.park(caller);
    }
    if (!isTold) this.#recall();
    return sheet.done;
  }

  /** The order of that number, if there is one. @throws OrderError CATALOG_AWAY where the catalog must be asked first */
  get(number: number): Promise<LoggedOrder | undefined> {
    // That there is none tells of nothing.
    const isTold = number >= this.#options.log.orderCount || this.#untold.isTold(number);
    if (isTold) return this.#options.log.get(number);
    if (this.#phase !== 'open') return this.#askToRecall().then(() => this.#options.log.get(number));
    const order = this.#parked.lookUp(number, this.#options.clock.monotonicMs() + LOOKUP_WAIT_MS_MAX);
    this.#recall();
    return order;
  }

  /**
   * Takes no more orders, waits for what is in flight, tells the catalog that all of it is on disk, then lets go of those who
   * still wait. The log stays open.
   */
  async stop(): Promise<void> {
    if (this.#phase !== 'failed') this.#phase = 'stopping';
    this.#refuseWaiting();
    this.#parked.refuse();
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
    this.#untold.recovered();
    this.#letIn();
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
      const origin = commonOrigin(orders) ?? NOBODY;
      const stream = origin.holder === 0 ? 0 : origin.stream;
      const nextNumber = this.#options.log.orderCount;
      const means = this.#untold.leave(stream, orders.length, this.#waiting.length === 0, nextNumber);
      this.#dispatch(orders, means === 'recalls', means === 'delegates' ? origin.holder : 0);
    }
  }

  /** Whoever is parked comes in when nothing is delegated any more. */
  #recall(): void {
    if (this.#phase !== 'open') return this.#parked.refuse();
    if (this.#untold.isRecalling) return;
    this.#untold.recall();
    this.#dispatch([], true);
  }

  /** Where nothing is sold. What stands in the log by now was sold before, and is recalled with all else. */
  #askToRecall(): Promise<void> {
    return this.#options.link.recall().catch((cause: unknown) => {
      throw catalogAway(cause);
    });
  }

  #recalled(): void {
    this.#untold.recalled();
    if (!this.#untold.isRecalling) this.#letIn();
  }

  #letIn(): void {
    const { log } = this.#options;
    this.#parked.letIn(
      (caller) => this.#gate.take(caller),
      (number) => log.get(number),
    );
  }

  #dispatch(orders: readonly PendingOrder[], recalls = false, holder = 0): void {
    const { settled } = this.#tags;
    const firstSequence = this.#tags.take(orders.length);
    const span = this.#options.tracer?.batch('purchase batch', 'client', orders, spanOf);
    const flight: Flight = { orders, firstSequence, results: undefined, recalls, span };
    if (this.#flights.length === 0) this.#progressAtMs = this.#options.clock.monotonicMs();
    this.#flights.push(flight);
    this.#settledTold = settled;
    this.#options.link
      .processOrders({
        incarnation: this.#incarnation,
        firstSequence,
        settledSequence: settled,
        purchases: orders.map((pending) => pending.request),
        holder,
        recall: recalls,
      })
      .then((results) => this.#land(flight, results))
      .catch((error) => this.#end(error));
  }

  /** A key is bound, or may be, and cannot be answered. That the catalog is away is no fault of ours. */
  #noteUnread(error: unknown): void {
    const isAway = error instanceof OrderError && error.code === 'CATALOG_AWAY';
    if (isAway) this.#untoldKeys.warn({ error }, this.#options.clock.monotonicMs());
    else this.#options.logger.error('an order cannot be read back', { error });
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
      pending.result = result;
      if (isSold(result)) this.#sold.push(pending);
      else this.#gate.finish(pending, refusalOf(result));
      pending.sequence = flight.firstSequence + index;
    }
    if (flight.recalls) this.#recalled();
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
        this.#gate.finish(group[index]!, group[index]!.result, firstNumber + index);
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
    this.#parked.refuse(this.#isStalled ? undefined : now);
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
    this.#parked.refuse();
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

/** How all of these orders came; undefined: not all by one stream. */
function commonOrigin(orders: readonly PendingOrder[]): Origin | undefined {
  const origin = orders[0]?.origin;
  const isCommon = (pending: PendingOrder): boolean => pending.origin?.stream === origin?.stream;
  return origin !== undefined && orders.every(isCommon) ? origin : undefined;
}
