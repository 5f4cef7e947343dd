// refusals.ts: connections that could not be placed. The service says so in its own protocol; the pool sees to it
// that the words arrive, and that the connection ends.

import type { Socket } from 'node:net';
import type { RefusalReason } from './pool-options.js';

/** How long a refused connection has to take its refusal. */
const LINGER_MS = 1_000;

/** Refused connections that may linger at a time: as many as may wait. Those beyond are closed without a word. */
export const LINGERING_MAX = 1_024;

/** The same where it is descriptors that have run out, for each of them holds one: so many are kept for it. */
export const LINGERING_RESERVED = 64;

export class Refusals {
  readonly #onRefused: (socket: Socket, reason: RefusalReason) => void;
  #lingering = 0;
  #total = 0;

  constructor(onRefused: (socket: Socket, reason: RefusalReason) => void) {
    this.#onRefused = onRefused;
  }

  /** Connections refused so far. */
  get total(): number {
    return this.#total;
  }

  /** Refused connections that are still open. */
  get lingering(): number {
    return this.#lingering;
  }

  refuse(socket: Socket, reason: RefusalReason): void {
    this.#total += 1;
    if (this.#lingering >= (reason === 'descriptor-limit' ? LINGERING_RESERVED : LINGERING_MAX)) {
      socket.destroy();
      return;
    }
    this.#lingering += 1;
    const linger = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(linger);
      this.#lingering -= 1;
    });
    this.#onRefused(socket, reason);
    // Closing with unread input would reset the connection and take the refusal with it; and only a reader sees the
    // peer's end.
    socket.resume();
  }
}
