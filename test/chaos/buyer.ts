// buyer.ts: one customer of a run of chaos: buys, looks, asks again, and writes down what it was told.
//
//   with a key      sent again after 503, 504 or a lost connection, until there is an answer
//   twice           the same order under the same key on two connections at once
//   without a key   sent once: after 503, 504 or a lost connection the outcome stays open
//   again           an order of long ago under its key: its number; with another quantity: 422
//   impatient       hangs up before the answer, then sends it again under its key
//
// What it wants comes from the seed; what it gets is up to the store.

import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../src/log.js';
import { SeededRandom } from '../support/simulated-random.js';
import { type ChaosNotes, nameOf, type Wish } from './chaos-notes.js';
import { type ChaosToy, UNKNOWN_TOY } from './shelf.js';
import { type CallOptions, type Reply, StoreCaller } from './store-caller.js';

export interface BuyerOptions {
  readonly index: number;
  readonly port: number;
  readonly seed: number;
  readonly shelf: readonly ChaosToy[];
  readonly notes: ChaosNotes;
  /** Between any two wishes, at most: one that never thinks keeps the whole machine busy. None if not given. */
  readonly thinkMsMax?: number | undefined;
  /** Aborted when nothing new is to be begun. */
  readonly closing: AbortSignal;
  /** Aborted when even what was begun is given up. */
  readonly giveUp: AbortSignal;
}

/** Few different quantities: with many, nobody could tell which open orders explain a stock. */
const QUANTITY_MAX = 4;
const UNKEYED_QUANTITY_MAX = 2;
/** Between two attempts: long enough not to do nothing else, short enough to arrive in the midst of a restart. */
const RETRY_PAUSE_MS = { min: 5, max: 150 } as const;
/** Between two wishes, sometimes. */
const THINK_MS_MAX = 20;
/** An impatient buyer hangs up within this. */
const HANG_UP_MS_MAX = 30;

export class Buyer {
  readonly #options: BuyerOptions;
  /** What it wants. */
  readonly #random: SeededRandom;
  /** How it goes about it, which depends on the answers, and must not change what it wants next. */
  readonly #mood: SeededRandom;
  readonly #first: StoreCaller;
  readonly #second: StoreCaller;
  readonly #bought: Wish[] = [];
  #keyCount = 0;

  constructor(options: BuyerOptions) {
    this.#options = options;
    this.#random = new SeededRandom(Math.imul(options.seed, 10_007) + options.index);
    this.#mood = new SeededRandom(Math.imul(options.seed, 20_011) + options.index);
    this.#first = new StoreCaller(options.port);
    this.#second = new StoreCaller(options.port);
  }

  /** Goes on until closing time; resolves when each wish has its answer, or when it has to give up. */
  async shop(): Promise<void> {
    const { closing, notes, thinkMsMax = 0 } = this.#options;
    try {
      while (!closing.aborted) {
        await this.#act();
        if (this.#random.chance(0.4)) await this.#look(this.#drawToy());
        if (this.#random.chance(0.2)) await pause(this.#random.integer(0, THINK_MS_MAX));
        if (thinkMsMax > 0) await pause(this.#mood.integer(0, thinkMsMax));
      }
    } catch (error) {
      notes.violate(`buyer ${this.#options.index}: ${messageOf(error)}`);
    } finally {
      this.#first.close();
      this.#second.close();
    }
  }

  async #act(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.5) return this.#buy(this.#wishWithKey());
    if (dice < 0.62) return this.#buyTwice(this.#wishWithKey());
    if (dice < 0.7) return this.#buy(this.#wishWithKey(), this.#random.integer(0, HANG_UP_MS_MAX));
    if (dice < 0.8) return this.#buyWithoutKey();
    if (dice < 0.84) return this.#askAgain();
    if (dice < 0.87) return this.#orderOtherwise();
    if (dice < 0.9) return this.#lookUp();
    return this.#look(this.#drawToy());
  }

  /** Sends an order until it is settled. */
  async #buy(wish: Wish, hangUpAfterMs?: number): Promise<void> {
    await this.#insist(this.#first, wish, hangUpAfterMs);
    if (wish.number !== undefined) this.#bought.push(wish);
  }

  async #buyTwice(wish: Wish): Promise<void> {
    await Promise.all([this.#insist(this.#first, wish), this.#insist(this.#second, wish)]);
    if (wish.number !== undefined) this.#bought.push(wish);
  }

  async #insist(caller: StoreCaller, wish: Wish, hangUpAfterMs?: number): Promise<void> {
    let reply = await this.#order(caller, wish, wish.quantity, hangUpAfterMs);
    while (!this.#settles(wish, reply)) {
      if (!(await this.#pauseBeforeRetry())) {
        return this.#options.notes.violate(`${nameOf(wish)}: no answer although all services are up`);
      }
      reply = await this.#order(caller, wish, wish.quantity);
    }
  }

  /** Sends an order that must not be sent again. */
  async #buyWithoutKey(): Promise<void> {
    const { notes } = this.#options;
    const wish = notes.wish(this.#drawToy(), this.#random.integer(1, UNKEYED_QUANTITY_MAX));
    let reply = await this.#order(this.#first, wish, wish.quantity);
    while (reply.kind === 'unsent' && (await this.#pauseBeforeRetry())) {
      reply = await this.#order(this.#first, wish, wish.quantity);
    }
    this.#settles(wish, reply);
  }

  /** Asks once more for an order that is bought already. */
  async #askAgain(): Promise<void> {
    if (this.#bought.length === 0) return;
    const wish = this.#mood.pick(this.#bought);
    this.#options.notes.repeats++;
    await this.#insist(this.#first, wish);
  }

  /** Wants more under the key of an order that is bought already. */
  async #orderOtherwise(): Promise<void> {
    if (this.#bought.length === 0) return;
    const { notes } = this.#options;
    const wish = this.#mood.pick(this.#bought);
    notes.repeats++;
    const reply = await this.#order(this.#first, wish, wish.quantity + 1);
    if (this.#hasFailed(reply) || reply.status === 422) return;
    notes.violate(`${nameOf(wish)}: the same key with another quantity was answered with ${inWords(reply)}`);
  }

  /** Looks at the stock of a toy. */
  async #look(toy: string): Promise<void> {
    const { notes } = this.#options;
    const answered = notes.histories.get(toy)?.read();
    const reply = await this.#first.call('GET', `/products/${encodeURIComponent(toy)}`);
    if (this.#hasFailed(reply)) return;
    notes.queries++;
    if (answered === undefined && reply.status === 404) return;
    const stock = reply.status === 200 ? JSON.parse(reply.body).data.quantity : undefined;
    if (answered === undefined || !Number.isInteger(stock) || stock < 0) {
      return notes.violate(`a query for ${toy} was answered with ${inWords(reply)}`);
    }
    answered(stock);
  }

  /** Looks at an order of its own. */
  async #lookUp(): Promise<void> {
    if (this.#bought.length === 0) return;
    const { notes } = this.#options;
    const wish = this.#mood.pick(this.#bought);
    const reply = await this.#first.call('GET', `/orders/${wish.number}`);
    if (this.#hasFailed(reply)) return;
    const expected = JSON.stringify({ data: { number: wish.number, name: wish.toy, quantity: wish.quantity } });
    if (reply.status !== 200 || reply.body !== expected) {
      notes.violate(`${nameOf(wish)}: order ${wish.number} was answered with ${inWords(reply)}`);
    }
  }

  #order(caller: StoreCaller, wish: Wish, quantity: number, hangUpAfterMs?: number): Promise<Reply> {
    const headers: Record<string, string> = { 'Content-Type': 'application/json' };
    if (wish.key !== undefined) headers['Idempotency-Key'] = wish.key;
    const options: CallOptions = { headers, body: JSON.stringify({ name: wish.toy, quantity }), hangUpAfterMs };
    return caller.call('POST', '/orders', options);
  }

  /** Takes the answer to an order down; false if the outcome is still open. */
  #settles(wish: Wish, reply: Reply): boolean {
    const { notes } = this.#options;
    if (this.#hasFailed(reply)) return false;
    const { status } = reply;
    const number = status === 200 ? JSON.parse(reply.body).data.order_number : undefined;
    if (status === 404 || status === 409) notes.tellRefused(wish, status);
    else if (Number.isInteger(number)) notes.tellSold(wish, number);
    else notes.violate(`${nameOf(wish)}: answered with ${inWords(reply)}`);
    return true;
  }

  /** Whether a reply leaves everything open: counted by its kind. */
  #hasFailed(reply: Reply): reply is Exclude<Reply, { kind: 'answer' }> | (Reply & { status: 503 | 504 }) {
    const { failures } = this.#options.notes;
    if (reply.kind === 'open') failures.lost++;
    else if (reply.kind === 'unsent') failures.unreachable++;
    else if (reply.status === 503) failures.unavailable++;
    else if (reply.status === 504) failures.tooLate++;
    else return false;
    return true;
  }

  /** False if it is time to give up. */
  async #pauseBeforeRetry(): Promise<boolean> {
    await pause(this.#mood.integer(RETRY_PAUSE_MS.min, RETRY_PAUSE_MS.max));
    return !this.#options.giveUp.aborted;
  }

  #wishWithKey(): Wish {
    const key = `buyer-${this.#options.index}-${this.#keyCount++}`;
    return this.#options.notes.wish(this.#drawToy(), this.#random.integer(1, QUANTITY_MAX), key);
  }

  #drawToy(): string {
    const { shelf } = this.#options;
    if (this.#random.chance(0.02)) return UNKNOWN_TOY;
    // The lower of two dice: the toys at the front of the shelf sell best.
    const place = Math.min(this.#random.integer(0, shelf.length - 1), this.#random.integer(0, shelf.length - 1));
    return shelf[place]!.name;
  }
}

function inWords(reply: Reply & { kind: 'answer' }): string {
  return `${reply.status} ${reply.body}`;
}
