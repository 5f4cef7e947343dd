// simulated-network.ts: messages between processes that take their time, get lost, come twice, or overtake each other.
//
//   send()     one message by itself: delayed, lost, doubled, in any order (what retries on top of connections amount to)
//   channel()  one direction of a connection: in order and without loss until it breaks; then a beginning of what was
//              under way may still arrive, late, and the rest never does
//
// Whoever receives a message decides whether he is alive to read it.

import type { Timer } from '../../src/clock.js';
import type { SimulatedWorld } from './simulated-world.js';

export interface NetworkFaults {
  /** Longest way of a message, in milliseconds. */
  delayMs: number;
  /** Probability that a message by itself is lost. */
  loss: number;
  /** Probability that it comes twice. */
  duplication: number;
  /** Probability, for each message on a channel, that its connection breaks. */
  breaks: number;
}

export class SimulatedNetwork {
  readonly faults: NetworkFaults = { delayMs: 3, loss: 0, duplication: 0, breaks: 0 };

  constructor(readonly world: SimulatedWorld) {}

  /** Delivers a message some time later: once, twice, or never. Returns how many copies are under way. */
  send(deliver: () => void): number {
    const { random } = this.world;
    if (random.chance(this.faults.loss)) return 0;
    const copies = random.chance(this.faults.duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) this.world.after(this.wayMs(), deliver);
    return copies;
  }

  channel(): SimulatedChannel {
    return new SimulatedChannel(this);
  }

  wayMs(): number {
    return this.world.random.next() * this.faults.delayMs;
  }
}

/** How late what is under way on a broken connection may still arrive, in milliseconds: retransmission takes its time. */
const LATE_MS_MAX = 600;

interface UnderWay {
  readonly deliver: () => void;
  timer: Timer;
}

export class SimulatedChannel {
  isBroken = false;
  #lastAtMs = 0;
  #underWay: UnderWay[] = [];

  constructor(readonly network: SimulatedNetwork) {}

  /** Delivers a message after those before it; not at all on a broken channel. */
  send(deliver: () => void): void {
    if (this.isBroken) return;
    this.#schedule(deliver, this.network.wayMs());
  }

  /** Nothing more is sent; a beginning of what is under way still arrives, perhaps late. */
  break(): void {
    if (this.isBroken) return;
    this.isBroken = true;
    const { random } = this.network.world;
    const underWay = this.#underWay;
    this.#underWay = [];
    for (const { timer } of underWay) timer.cancel();
    const arriving = underWay.slice(0, random.integer(0, underWay.length));
    for (const { deliver } of arriving)
      this.#schedule(deliver, random.chance(0.5) ? 0 : random.integer(0, LATE_MS_MAX));
  }

  #schedule(deliver: () => void, delayMs: number): void {
    const { world } = this.network;
    this.#lastAtMs = Math.max(this.#lastAtMs, world.nowMs + delayMs);
    const timer = world.after(this.#lastAtMs - world.nowMs, () => {
      this.#underWay.splice(this.#underWay.indexOf(message), 1);
      deliver();
    });
    const message = { deliver, timer };
    this.#underWay.push(message);
  }
}
