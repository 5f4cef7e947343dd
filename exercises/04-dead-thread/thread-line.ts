import type { Worker } from 'node:worker_threads';

interface Question {
  readonly id: number;
  readonly text: string;
}

interface Answer {
  readonly id: number;
  readonly text: string;
}

/** Questions to a thread, many at a time, and its answers, in whatever order. */
export class ThreadLine {
  readonly #worker: Worker;
  readonly #open = new Map<number, (text: string) => void>();
  #count = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', ({ id, text }: Answer) => this.#open.get(id)?.(text));
  }

  /** Questions that have no answer yet. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Rejects when the thread has ended, or ends before it has answered. */
  ask(text: string): Promise<string> {
    const question: Question = { id: this.#count++, text };
    return new Promise((resolve) => {
      this.#open.set(question.id, resolve);
      this.#worker.postMessage(question);
    });
  }
}
