/** Asks for the stock of many toys in one message. */
export type Ask = (names: readonly string[]) => Promise<number[]>;

/** Only a message that has not left may be joined: one that has may have been answered from an older state. */
export class SharedFinds {
  readonly #ask: Ask;
  /** The places of the message that leaves next. */
  #places = new Map<string, number>();
  #message: Promise<number[]> | undefined;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async find(name: string): Promise<number> {
    const place = this.#places.get(name) ?? this.#places.size;
    this.#places.set(name, place);
    this.#message ??= new Promise((resolve, reject) => {
      setImmediate(() => this.#send().then(resolve, reject));
    });
    return (await this.#message)[place]!;
  }

  #send(): Promise<number[]> {
    const names = [...this.#places.keys()];
    this.#places = new Map();
    this.#message = undefined;
    return this.#ask(names);
  }
}
