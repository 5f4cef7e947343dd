import { Duplex } from 'node:stream';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import test from 'ava';
import { drainBatches } from '../../src/rpc/batch-server.js';
import { RpcError, serveBatches } from '../../src/rpc/index.js';

/** The server's end of a stream in memory: requests are pushed in, answers come out as fast as the test accepts them. */
class FakeCall extends Duplex {
  readonly events: string[] = [];
  #acceptAnswer: (() => void) | undefined;

  constructor(readonly acceptsAnswers = true) {
    super({ objectMode: true, highWaterMark: 1 });
    this.on('error', (error: { code?: number; details?: string }) =>
      this.events.push(`status ${error.code} ${error.details}`),
    );
    this.on('finish', () => this.events.push('end'));
  }

  sendMetadata(): void {
    this.events.push('headers');
  }

  override _read(): void {}

  override _write(answer: unknown, _encoding: string, callback: () => void): void {
    this.events.push(`answer ${answer}`);
    if (this.acceptsAnswers) callback();
    else this.#acceptAnswer = callback;
  }

  acceptAnswer(): void {
    this.#acceptAnswer?.();
  }
}

/** A served call, what the handler was asked so far, and how to finish what it was asked. */
function served(call: FakeCall) {
  const asked: string[] = [];
  const finish = new Map<string, { resolve: (answer: string) => void; reject: (error: Error) => void }>();
  serveBatches<string, string>(call as unknown as ServerDuplexStream<string, string>, (request) => {
    asked.push(request);
    return new Promise((resolve, reject) => finish.set(request, { resolve, reject }));
  });
  return {
    asked,
    answer: (request: string) => finish.get(request)!.resolve(request.toUpperCase()),
    fail: (request: string, error: Error) => finish.get(request)!.reject(error),
  };
}

/** Lets everything that is ready to happen happen. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}

function push(call: FakeCall, ...requests: string[]): void {
  for (const request of requests) call.push(request);
}

test('the headers go out before any message has come', (t) => {
  const call = new FakeCall();
  served(call);
  t.deepEqual(call.events, ['headers']);
});

test('answers leave in the order of the requests, whatever is finished first', async (t) => {
  const call = new FakeCall();
  const { answer } = served(call);
  push(call, 'tux', 'fox', 'whale');
  await settled();
  answer('whale');
  answer('fox');
  await settled();
  t.deepEqual(call.events, ['headers']);
  answer('tux');
  await settled();
  t.deepEqual(call.events, ['headers', 'answer TUX', 'answer FOX', 'answer WHALE']);
});

test('a handler that answers at once keeps its place too', async (t) => {
  const call = new FakeCall();
  const slow: ((answer: string) => void)[] = [];
  serveBatches<string, string>(call as unknown as ServerDuplexStream<string, string>, (request) =>
    request === 'slow' ? new Promise((resolve) => slow.push(resolve)) : request.toUpperCase(),
  );
  push(call, 'fast', 'slow', 'quick');
  await settled();
  slow[0]!('SLOW');
  await settled();
  t.deepEqual(call.events, ['headers', 'answer FAST', 'answer SLOW', 'answer QUICK']);
});

test('no more than 16 requests are handled at a time', async (t) => {
  const call = new FakeCall();
  const { asked, answer } = served(call);
  const requests = Array.from({ length: 20 }, (_, index) => `toy ${index}`);
  push(call, ...requests);
  await settled();
  t.deepEqual(asked, requests.slice(0, 16));
  answer('toy 0');
  await settled();
  t.deepEqual(asked, requests.slice(0, 17));
});

test('a peer that does not read its answers is not read either', async (t) => {
  const call = new FakeCall(false);
  const { asked, answer } = served(call);
  push(call, 'tux');
  await settled();
  answer('tux');
  await settled();
  push(call, 'fox');
  await settled();
  t.deepEqual(asked, ['tux']);
  call.acceptAnswer();
  await settled();
  t.deepEqual(asked, ['tux', 'fox']);
});

test('the end of the requests: what was read is answered, then the stream ends', async (t) => {
  const call = new FakeCall();
  const { answer } = served(call);
  push(call, 'tux');
  call.push(null);
  await settled();
  t.deepEqual(call.events, ['headers']);
  answer('tux');
  await settled();
  t.deepEqual(call.events, ['headers', 'answer TUX', 'end']);
});

test('draining: what was read is answered, the rest is not, then the stream ends', async (t) => {
  const call = new FakeCall();
  const { asked, answer } = served(call);
  push(call, 'tux');
  await settled();
  t.true(drainBatches(call));
  push(call, 'fox');
  await settled();
  t.deepEqual(asked, ['tux']);
  answer('tux');
  await settled();
  t.deepEqual(call.events, ['headers', 'answer TUX', 'end']);
});

test('draining an idle stream ends it at once; one served otherwise is told apart', async (t) => {
  const call = new FakeCall();
  served(call);
  drainBatches(call);
  await settled();
  t.deepEqual(call.events, ['headers', 'end']);
  t.false(drainBatches(new FakeCall()));
});

const FAILURES: [name: string, error: Error, status: string][] = [
  ['an RpcError, with its code', new RpcError('FAILED_PRECONDITION', 'fenced'), 'status 9 fenced'],
  ['any other error, as INTERNAL', new Error('a bug'), 'status 13 a bug'],
];

for (const [name, error, status] of FAILURES) {
  test(`a failing handler ends the stream after the answers before it: ${name}`, async (t) => {
    const call = new FakeCall();
    const { answer, fail } = served(call);
    push(call, 'tux', 'fox', 'whale');
    await settled();
    fail('fox', error);
    answer('whale');
    await settled();
    t.deepEqual(call.events, ['headers']);
    answer('tux');
    await settled();
    t.deepEqual(call.events, ['headers', 'answer TUX', status]);
  });
}

test('a handler that throws fails like one that rejects', async (t) => {
  const call = new FakeCall();
  serveBatches<string, string>(call as unknown as ServerDuplexStream<string, string>, () => {
    throw new RpcError('INVALID_ARGUMENT', 'no');
  });
  push(call, 'tux');
  await settled();
  t.deepEqual(call.events, ['headers', 'status 3 no']);
});

test('when the client has gone, nothing more is written', async (t) => {
  const call = new FakeCall();
  const { asked, answer } = served(call);
  push(call, 'tux');
  await settled();
  call.emit('cancelled');
  push(call, 'fox');
  answer('tux');
  await settled();
  t.deepEqual(asked, ['tux']);
  t.deepEqual(call.events, ['headers']);
});
