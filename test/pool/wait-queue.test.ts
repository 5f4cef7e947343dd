// The ring of waiting connections, against an array that does the same plainly.

import test from 'ava';
import fc from 'fast-check';
import { WaitQueue } from '../../src/pool/wait-queue.js';

type Action = { readonly kind: 'push' | 'insert'; readonly item: number } | { readonly kind: 'shift' };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), item: fc.nat() }),
  fc.record({ kind: fc.constant('insert' as const), item: fc.nat() }),
  fc.record({ kind: fc.constant('shift' as const) }),
);

test('behaves as a bounded array', (t) => {
  fc.assert(
    fc.property(fc.nat({ max: 5 }), fc.array(action, { maxLength: 60 }), (capacity, actions) => {
      const queue = new WaitQueue<number>(capacity);
      const model: number[] = [];
      for (const action of actions) {
        const hasRoom = model.length < capacity;
        switch (action.kind) {
          case 'push':
            if (hasRoom) model.push(action.item);
            if (queue.push(action.item) !== hasRoom) return false;
            break;
          case 'insert':
            if (hasRoom) model.splice(model.findLastIndex((other) => other <= action.item) + 1, 0, action.item);
            if (queue.insert(action.item, (other) => action.item < other) !== hasRoom) return false;
            break;
          case 'shift':
            if (queue.shift() !== model.shift()) return false;
            break;
        }
        if (queue.length !== model.length || queue.first !== model[0]) return false;
      }
      return true;
    }),
  );
  t.pass();
});
