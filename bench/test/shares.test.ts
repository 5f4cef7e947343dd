import test from 'ava';
import type { Frame } from '../profile/merge-profiles.js';
import { formatShares, sharesByKind, sharesByService } from '../profile/shares.js';

const frame = (name: string, own: number, children: Frame[] = []): Frame => ({
  name,
  value: children.reduce((sum, child) => sum + child.value, own),
  children,
});

const STORE = frame('store', 0, [
  frame('frontend', 0, [
    frame('worker 1', 0, [
      frame('onReadable src/http/session.js:10', 10, [
        frame('writeLatin1String', 40),
        frame('find src/frontend/store-handlers.js:5', 10, [frame('(garbage collector)', 5)]),
      ]),
      frame('(anonymous) @grpc/grpc-js/build/src/call.js:3', 15, [frame('emit node:events:500', 5)]),
    ]),
  ]),
  frame('catalog', 0, [
    frame('main thread', 0, [frame('decode proto/gen/toystore/v1/catalog.js:9', 5), frame('epoll', 10)]),
  ]),
]);

test('services by their share of processor time', (t) => {
  t.is(formatShares(sharesByService(STORE)), 'frontend 85%, catalog 15%');
});

test('time counts where it is spent, by kind of code', (t) => {
  t.deepEqual(Object.fromEntries(sharesByKind(STORE).map(({ name, share }) => [name, Math.round(share * 100)])), {
    'writing to sockets': 40,
    'gRPC and its messages': 20,
    'the HTTP library': 10,
    'the services themselves': 10,
    'native code and the rest': 10,
    'garbage collection': 5,
    'Node.js': 5,
  });
});

test('a profile of nothing has no shares', (t) => {
  t.is(formatShares(sharesByKind(frame('store', 0))), '');
});
