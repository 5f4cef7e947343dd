import type { Worker } from 'node:worker_threads';

interface Answer {
  readonly id: number;
  readonly text: string;
}

interface Asker {
  resolve(text: string): void;
  reject(error: Error): void;
}

/** An 'exit' comes after every way in which a thread ends; a message to one that has ended goes nowhere, without an error. */
export class ThreadLine {
  readonly #worker: Worker;
  readonly #open = new Map<number, Asker>();
  #count = 0;
  #hasEnded = false;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', ({ id, text }: Answer) => {
      const asker = this.#open.get(id);
      this.#open.delete(id);
      asker?.resolve(text);
    });
    worker.on('exit', () => {
      this.#hasEnded = true;
      for (const asker of this.#open.values()) asker.reject(new Error('the thread has ended'));
      this.#open.clear();
    });
  }

  get openCount(): number {
    return this.#open.size;
  }

  ask(text: string): Promise<string> {
    if (this.#hasEnded) return Promise.reject(new Error('the thread has ended'));
    const id = this.#count++;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#worker.postMessage({ id, text });
    });
  }
}
