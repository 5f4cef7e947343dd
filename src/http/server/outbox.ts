// outbox.ts: what leaves a connection: answers in order, no more of them than the peer takes or than is fair to the others.
//
//   ExchangeQueue ─ text, in order ─→ write ─→ socket ─→ kernel
//        ↑            └ at most so much in one turn of the event loop     └ unsent: what the peer has not taken
//     makeRoom ←──── streams go on when there is room again
//
// A peer that takes nothing for too long is cut: `clock.unsent` has the unsent bytes looked at a few times in that time.
import type { HttpLimits } from '../limits.js';
import { Deadline, type DeadlineOwner } from './deadline-queue.js';
import { ExchangeQueue } from './exchange-queue.js';
import { type SessionClock, UNSENT_CHECKS } from './session-clock.js';
import type { SessionExchange } from './session-exchange.js';
import type { SessionSocket } from './session-socket.js';

/** Answers joined up to this size are written at once, so that a long pipeline does not build one huge string. */
const WRITE_CHARACTERS = 64 * 1024;

/**
 * Written to one connection in one turn of the event loop; the rest in the next. A peer that takes large answers as fast
 * as they can be made would have the thread to itself otherwise.
 */
const TURN_CHARACTERS = 256 * 1024;

export class Outbox implements DeadlineOwner {
  readonly exchanges = new ExchangeQueue<SessionExchange>();
  /** Written since the last turn began. */
  private turnCharacters = 0;
  /** For the peer to take what waits for it. */
  private readonly deadline = new Deadline(this);
  private lastBacklog = 0;
  private unmovedChecks = 0;

  constructor(
    private readonly socket: SessionSocket,
    private readonly limits: HttpLimits,
    private readonly clock: SessionClock,
  ) {}

  /** Whether all requests have been answered, if not sent. */
  get isAllAnswered(): boolean {
    return this.exchanges.first === undefined;
  }

  /** Whether another request may be read: few enough wait for an answer, and the peer takes those that it gets. */
  get hasRoomForRequest(): boolean {
    const { limits, exchanges, socket } = this;
    return (
      exchanges.length < limits.pipelineDepthMax &&
      socket.unsentBytes <= limits.unsentBytesMax &&
      this.turnCharacters <= TURN_CHARACTERS
    );
  }

  /** Whether there is room for more of an answer that is made while it is sent. */
  hasRoomFor(exchange: SessionExchange): boolean {
    const { limits, exchanges, socket } = this;
    if (exchange !== exchanges.first) return exchange.outgoing!.waitingCharacters <= limits.unsentBytesMax;
    const unsent = exchanges.text.length + socket.unsentBytes;
    return unsent <= limits.unsentBytesMax && this.turnCharacters <= TURN_CHARACTERS;
  }

  /** Whether what waits is so large that it should be written without waiting for more. */
  get isLarge(): boolean {
    return this.exchanges.text.length >= WRITE_CHARACTERS;
  }

  /** Well before there is no room left: the count starts anew when the turn ends, not when the room does. */
  get hasLargeTurn(): boolean {
    return this.turnCharacters >= WRITE_CHARACTERS;
  }

  beginTurn(): void {
    this.turnCharacters = 0;
  }

  /** Writes what is due. @param isEnd and the end of our half after it */
  write(isEnd: boolean): void {
    const { socket } = this;
    const text = this.exchanges.takeText();
    this.turnCharacters += text.length;
    if (isEnd) socket.end(text);
    else if (text !== '') socket.write(text);
    if (socket.unsentBytes > 0 && this.deadline.queue === undefined) this.watchUnsent(0);
  }

  /** Has the stream go on whose turn it is, if it waits for room and there is some. */
  makeRoom(): void {
    const { first } = this.exchanges;
    if (first?.outgoing?.isFull && this.hasRoomFor(first)) first.outgoing.makeRoom();
  }

  /** All that was written has been taken. */
  drained(): void {
    this.lastBacklog = 0;
  }

  /** The kernel may have taken some of what waits since the last look, if not all. */
  timedOut(): void {
    const { backlog } = this.socket;
    if (backlog === 0) return;
    const unmovedChecks = backlog === this.lastBacklog ? this.unmovedChecks + 1 : 0;
    if (unmovedChecks < UNSENT_CHECKS) this.watchUnsent(unmovedChecks);
    else this.socket.destroy();
  }

  close(): void {
    this.deadline.cancel();
  }

  private watchUnsent(unmovedChecks: number): void {
    this.lastBacklog = this.socket.backlog;
    this.unmovedChecks = unmovedChecks;
    this.clock.unsent.restart(this.deadline, this.clock.nowMs);
  }
}
