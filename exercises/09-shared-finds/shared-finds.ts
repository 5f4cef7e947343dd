/** Asks for the stock of many toys in one message. */
export type Ask = (names: readonly string[]) => Promise<number[]>;

/** Finds of many customers, in as few messages as possible; those of the same toy share a place in them. */
export class SharedFinds {
  readonly #ask: Ask;
  readonly #open = new Map<string, Promise<number>>();
  #waiting: string[] = [];
  #message: Promise<number[]> | undefined;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** The stock of a toy, as it was at some moment after this call. */
  find(name: string): Promise<number> {
    const open = this.#open.get(name);
    if (open !== undefined) return open;
    const place = this.#waiting.push(name) - 1;
    // All that come in this turn of the event loop leave together.
    this.#message ??= new Promise((resolve, reject) => {
      setImmediate(() => this.#send().then(resolve, reject));
    });
    const found = this.#message.then((stock) => stock[place]!).finally(() => this.#open.delete(name));
    this.#open.set(name, found);
    return found;
  }

  #send(): Promise<number[]> {
    const names = this.#waiting;
    this.#waiting = [];
    this.#message = undefined;
    return this.#ask(names);
  }
}
