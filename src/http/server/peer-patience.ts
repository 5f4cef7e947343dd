// peer-patience.ts: what a session waits for from its peer, since when, and whether that is too long.
//
//   REQUEST ──→ REST_OF_HEAD ──→ REST_OF_BODY ──→ REQUEST        each with its own limit; NOTHING while it is we who
//                                                                are slow: a handler at work, or no room for more
// Beside it runs the clock of the other direction: answers that wait for the peer to take them. All times are the
// server's coarse clock, in milliseconds.

import type { SessionHost } from './session-host.js';

/** What a session is waiting for from its peer; says which time-out applies. */
export const NOTHING = 0;
export const REQUEST = 1;
export const REST_OF_HEAD = 2;
export const REST_OF_BODY = 3;

/** Both clocks of one session. */
export class PeerPatience {
  waitingFor = REQUEST;
  private backlog = 0;
  private unsentSinceMs = 0;

  /** @param sinceMs when waiting began */
  constructor(private sinceMs: number) {}

  /** Waits for what comes next in the parser's input, from now on if it was not that already. */
  waitFor(parser: { readonly isInMessage: boolean; readonly isInBody: boolean }, nowMs: number): void {
    let waitingFor = REQUEST;
    if (parser.isInMessage) waitingFor = parser.isInBody ? REST_OF_BODY : REST_OF_HEAD;
    if (waitingFor === this.waitingFor) return;
    this.waitingFor = waitingFor;
    this.sinceMs = nowMs;
  }

  /** Begins to wait anew for the same. */
  restart(nowMs: number): void {
    this.sinceMs = nowMs;
  }

  waitedMs(nowMs: number): number {
    return nowMs - this.sinceMs;
  }

  /** What the peer has taken too long for, if it has. */
  overdue({ limits, idleTimeoutMs, nowMs }: SessionHost): 'HEAD_TIMEOUT' | 'BODY_TIMEOUT' | 'IDLE' | undefined {
    const waitedMs = this.waitedMs(nowMs);
    switch (this.waitingFor) {
      case REST_OF_HEAD:
        return waitedMs > limits.headTimeoutMs ? 'HEAD_TIMEOUT' : undefined;
      case REST_OF_BODY:
        return waitedMs > limits.bodyTimeoutMs ? 'BODY_TIMEOUT' : undefined;
      case REQUEST:
        return waitedMs > idleTimeoutMs ? 'IDLE' : undefined;
      default:
        return undefined;
    }
  }

  /** How long the backlog of a socket has stood still; asked a few times a second. */
  unsentForMs(backlog: number, nowMs: number): number {
    if (backlog === 0 || backlog !== this.backlog) {
      this.backlog = backlog;
      this.unsentSinceMs = nowMs;
    }
    return nowMs - this.unsentSinceMs;
  }
}
