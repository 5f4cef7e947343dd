// exchange-queue.ts: the exchanges of one connection that wait for their answer, and the answers whose turn has come.
//
//   first → … → last        answers leave in request order (RFC 9112 9.3.2), however their handlers finish
//     └─ due ─→ text ─→ the session writes it, once per turn of the event loop
//
// A list through the exchanges themselves: it allocates nothing.

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** What the queue needs of an exchange. */
export interface Queued<Item> {
  /** The next request of the connection; the queue's own business. */
  next: Item | undefined;
  readonly isAnswered: boolean;
  /** Whether there will be more of its answer. */
  readonly isOpen: boolean;
  /**
   * The answer as it is to be written, or what there is of it and has not been given out yet. What it says of the connection
   * is decided now, when its turn has come.
   */
  answerText(): string;
}

/** Puts the answers of one connection in order. */
export class ExchangeQueue<Item extends Queued<Item>> {
  /** The one whose turn it is. */
  first: Item | undefined;
  /** The one that came last. */
  last: Item | undefined;
  length = 0;
  /** What can be written, one character per byte. */
  text = '';
  /** Whether a `100 Continue` waits for the answers before it. */
  isContinueDue = false;

  add(exchange: Item): void {
    if (this.last === undefined) this.first = exchange;
    else this.last.next = exchange;
    this.last = exchange;
    this.length++;
  }

  /** Asks for the body of the request that is being read, after the answers to those before it. */
  addContinue(): void {
    if (this.first === undefined) this.text += CONTINUE;
    else this.isContinueDue = true;
  }

  /** The body has come unasked, or nobody wants it any more. */
  dropContinue(): void {
    this.isContinueDue = false;
  }

  /** Takes out the exchanges whose turn has come and whose answer is there, and moves their answers to `text`. */
  takeDueAnswers(): void {
    while (this.first?.isAnswered) {
      const answered: Item = this.first;
      this.text += answered.answerText();
      if (answered.isOpen) return;
      this.first = answered.next;
      // One of them that has grown old would keep all after it alive until the next full collection.
      answered.next = undefined;
      this.length--;
    }
    if (this.first !== undefined) return;
    this.last = undefined;
    if (!this.isContinueDue) return;
    this.isContinueDue = false;
    this.text += CONTINUE;
  }

  /** @returns `text`, which is empty afterwards */
  takeText(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  /** Forgets those that came after `exchange`, for the connection ends with it. */
  dropBehind(exchange: Item, visit: (dropped: Item) => void): void {
    for (let dropped = exchange.next; dropped !== undefined; dropped = dropped.next) {
      visit(dropped);
      this.length--;
    }
    exchange.next = undefined;
    this.last = exchange;
  }

  /** All of them, in order; they may be answered meanwhile. */
  *[Symbol.iterator](): Generator<Item> {
    let exchange = this.first;
    while (exchange !== undefined) {
      const { next }: Item = exchange;
      yield exchange;
      exchange = next;
    }
  }
}
