// untold-sales.ts: sales that one stream alone may be told of. The catalog may leave it to a front end to show its own sales
// (delegations.ts there), where all that is told of them passes by that front end first. What passes there in order is the
// answers on one stream; everything else, such as another stream, a look-up or a repeated key, waits for a recall.
//
//   told to all ──batch of one stream, for its holder──► told to that stream ──anything else──► a message says recall
//        ▲                                                                                          │
//        └───────────────────────────────── that message is answered ◄──────────────────────────────┘
//
// A stream sends its next message when it has carried out the answer to the one before: so what is untold is what one message
// has ordered. After a start that is what an earlier process may have been about to tell, until the catalog has been asked.

/** Orders of one message whose sales may be delegated: more come where customers are many, and then several streams are busy. */
const MESSAGE_ORDERS_MAX = 64;
/** Batches of one stream, one after the other, before sales are delegated: two that take turns would recall each time. */
const BATCHES_IN_A_ROW = 4;
/** The stream of an earlier process. */
const EARLIER = -1;

export class UntoldSales {
  /** The only one that may be told; 0: everybody may be. */
  #stream = EARLIER;
  /** Orders of lower numbers were told. */
  #firstNumber: number;
  #recalls = 0;
  #lastStream = 0;
  #inARow = 0;

  /** @param orders how many there are at the start */
  constructor(orders: number) {
    this.#firstNumber = Math.max(0, orders - MESSAGE_ORDERS_MAX);
  }

  /** The catalog has answered Recover: it has recalled everything. */
  recovered(): void {
    this.#stream = 0;
  }

  /** Whether callers by that stream may be told of whatever becomes of their orders. */
  isToldTo(stream: number): boolean {
    return this.#stream === 0 || this.#stream === EARLIER || this.#stream === stream;
  }

  /** Whether the order of that number may be told to everybody. */
  isTold(number: number): boolean {
    return this.#stream === 0 || number < this.#firstNumber;
  }

  /** Whether an order that a key is bound to may be told to those who may come in: see isToldTo(). */
  isBoundTold(number: number): boolean {
    return this.#stream !== EARLIER || number < this.#firstNumber;
  }

  /** Whether a message that says recall is under way. */
  get isRecalling(): boolean {
    return this.#recalls > 0;
  }

  /** A message of a stream has come. @param nextNumber no order that is not told yet to that stream has a lower number */
  arrived(stream: number, nextNumber: number): void {
    if (stream === this.#stream) this.#firstNumber = nextNumber;
  }

  /**
   * A batch is about to leave.
   *
   * @param stream by which all of its orders have come; 0: by several, or by none
   * @param orders how many it has
   * @param isAlone nothing else waits to be sent
   * @param nextNumber no order of the batch will have a lower number
   * @returns whether its sales may be delegated, or whether it must say recall
   */
  leave(stream: number, orders: number, isAlone: boolean, nextNumber: number): 'delegates' | 'recalls' | 'neither' {
    this.#inARow = stream === this.#lastStream ? this.#inARow + 1 : 1;
    this.#lastStream = stream;
    if (this.#stream !== 0 && this.#stream !== stream) return this.recall();
    const isSmall = isAlone && orders <= MESSAGE_ORDERS_MAX;
    if (stream === 0 || !isSmall || this.#recalls > 0 || this.#inARow < BATCHES_IN_A_ROW) return 'neither';
    if (this.#stream === 0) this.#firstNumber = nextNumber;
    this.#stream = stream;
    return 'delegates';
  }

  /** A message that says recall is about to leave. */
  recall(): 'recalls' {
    this.#recalls++;
    return 'recalls';
  }

  /** One is answered. */
  recalled(): void {
    this.#recalls--;
    if (this.#recalls === 0) this.#stream = 0;
  }
}
