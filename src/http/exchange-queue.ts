// exchange-queue.ts: the exchanges of one connection that wait for their answer, or for those before them.
//
//   first → … → last        answers leave in request order (RFC 9112 9.3.2), however their handlers finish
//
// A list through the exchanges themselves: it allocates nothing.
import type { SessionExchange } from './session-exchange.js';

export class ExchangeQueue {
  /** The one whose turn it is. */
  first: SessionExchange | undefined;
  /** The one that came last. */
  last: SessionExchange | undefined;
  length = 0;

  add(exchange: SessionExchange): void {
    if (this.last === undefined) this.first = exchange;
    else this.last.next = exchange;
    this.last = exchange;
    this.length++;
  }

  /** Takes out all exchanges whose turn has come and whose answer is there. @returns these answers, joined */
  takeDueAnswers(): string {
    let text = '';
    while (this.first?.answerText !== undefined) {
      text += this.first.answerText;
      this.first = this.first.next;
      this.length--;
    }
    if (this.first === undefined) this.last = undefined;
    return text;
  }

  /** Tells those that still wait that the peer has gone. */
  abort(): void {
    for (let exchange = this.first; exchange !== undefined; exchange = exchange.next) exchange.isAborted = true;
  }
}
