// fake-stream.ts: the client's end of a stream without a network, moved by hand: the test decides when it comes up, when
// a message is answered, and when it breaks.

import { EventEmitter, once } from 'node:events';
import { type ClientDuplexStream, status } from '@grpc/grpc-js';

export class FakeStream<Request, Response> extends EventEmitter {
  readonly written: Request[] = [];
  answeredCount = 0;
  state: 'opening' | 'up' | 'over' = 'opening';
  isHalfClosed = false;
  readonly #onWrite: (request: Request) => void;

  constructor(onWrite: (request: Request) => void) {
    super();
    this.#onWrite = onWrite;
  }

  // What the code under test calls.

  write(request: Request): void {
    this.written.push(request);
    this.#onWrite(request);
  }

  end(): void {
    this.isHalfClosed = true;
  }

  cancel(): void {
    this.state = 'over';
  }

  // What the test calls.

  get unanswered(): readonly Request[] {
    return this.written.slice(this.answeredCount);
  }

  comeUp(): void {
    this.state = 'up';
    this.emit('metadata');
  }

  answer(response: Response): void {
    this.answeredCount++;
    this.emit('data', response);
  }

  break(code: number = status.UNAVAILABLE): void {
    this.state = 'over';
    this.emit('error', Object.assign(new Error('broken'), { code, details: 'broken' }));
  }
}

/** Opens fake streams, one after the other. */
export class FakeChannel<Request, Response> extends EventEmitter {
  readonly streams: FakeStream<Request, Response>[] = [];
  readonly #onWrite: (request: Request) => void;

  constructor(onWrite: (request: Request) => void = () => {}) {
    super();
    this.#onWrite = onWrite;
  }

  readonly open = (): ClientDuplexStream<Request, Response> => {
    const stream = new FakeStream<Request, Response>(this.#onWrite);
    this.streams.push(stream);
    this.emit('open');
    return stream as unknown as ClientDuplexStream<Request, Response>;
  };

  get newest(): FakeStream<Request, Response> {
    return this.streams.at(-1)!;
  }

  /** The newest stream that is not over, once there is one. */
  async usable(): Promise<FakeStream<Request, Response>> {
    if (this.newest.state === 'over') await once(this, 'open');
    return this.newest;
  }
}
