import { EventEmitter } from 'node:events';
import test from 'ava';
import { ActiveCalls } from '../../src/rpc/active-calls.js';
import { shelfDefinition } from './shelf-service.js';

class FakeCall extends EventEmitter {
  isEnded = false;
  end(): void {
    this.isEnded = true;
  }
}

type AnyHandler = (call: FakeCall, callback?: (...answer: unknown[]) => void) => void;

function counted(handlers: { look?: AnyHandler; lookOnce?: AnyHandler }) {
  const events: string[] = [];
  const calls = new ActiveCalls(() => events.push('idle'));
  const wrapped = calls.wrap(shelfDefinition, handlers as never) as unknown as {
    look: AnyHandler;
    lookOnce: AnyHandler;
  };
  return { calls, wrapped, events };
}

test('a unary call is active until its handler has answered', (t) => {
  let answer: (...values: unknown[]) => void = () => {};
  const { calls, wrapped, events } = counted({
    lookOnce: (_call, callback) => {
      answer = callback!;
    },
  });
  const answers: unknown[][] = [];
  wrapped.lookOnce(new FakeCall(), (...values) => answers.push(values));
  t.is(calls.count, 1);
  answer(null, { lengths: [3] });
  t.deepEqual(answers, [[null, { lengths: [3] }]]);
  t.is(calls.count, 0);
  t.deepEqual(events, ['idle']);
});

test('a stream is active until it is over', (t) => {
  const { calls, wrapped, events } = counted({ look: () => {} });
  const [first, second] = [new FakeCall(), new FakeCall()];
  wrapped.look(first);
  wrapped.look(second);
  t.is(calls.count, 2);
  first.emit('cancelled');
  t.deepEqual(events, []);
  second.emit('cancelled');
  t.deepEqual(events, ['idle']);
});

test('a drain ends the streams that there are, and those that still come', (t) => {
  const { calls, wrapped } = counted({ look: () => {} });
  const [early, late] = [new FakeCall(), new FakeCall()];
  wrapped.look(early);
  t.false(early.isEnded);
  calls.drain();
  t.true(early.isEnded);
  wrapped.look(late);
  t.true(late.isEnded);
});

test('handlers keep their `this`', (t) => {
  const seen: unknown[] = [];
  const implementation = {
    look(this: unknown) {
      seen.push(this);
    },
  };
  counted(implementation).wrapped.look(new FakeCall());
  t.deepEqual(seen, [implementation]);
});
