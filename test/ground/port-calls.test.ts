// Calls over a MessagePort: both ways, out of order, failing, timing out, with nobody at the other end; and notifications.

import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { call, notify, ownBytes, PortCallError, serveCalls } from '../../src/port-calls.js';

type Shop = {
  readonly price: { readonly request: string; readonly reply: number };
  readonly later: { readonly request: number; readonly reply: number };
};

function shopAndCustomer(t: ExecutionContext): { shop: MessagePort; customer: MessagePort } {
  const { port1: shop, port2: customer } = new MessageChannel();
  t.teardown(() => shop.close());
  return { shop, customer };
}

test('a call is answered', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  serveCalls<Shop>(shop, { price: (name) => (name === 'Tux' ? 15.99 : 0), later: (value) => value });
  t.is(await call<Shop, 'price'>(customer, 'price', 'Tux'), 15.99);
  t.is(await call<Shop, 'price'>(customer, 'price', 'Whale'), 0);
});

test('answers find their calls in any order', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  const waiting = new Map<number, (value: number) => void>();
  serveCalls<Shop>(shop, {
    price: () => 0,
    later: (value) =>
      new Promise((resolve) => {
        waiting.set(value, resolve);
        if (waiting.size === 3) for (const value of [2, 3, 1]) waiting.get(value)!(value * 10);
      }),
  });
  t.deepEqual(await Promise.all([1, 2, 3].map((value) => call<Shop, 'later'>(customer, 'later', value))), [10, 20, 30]);
});

test('both ends call and serve on one port, beside messages of their own', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  const others: unknown[] = [];
  shop.on('message', (message) => {
    if (typeof message === 'string') others.push(message);
  });
  for (const port of [shop, customer]) serveCalls<Shop>(port, { price: () => 1, later: (value) => value });
  customer.postMessage('hello');
  const answers = [call<Shop, 'later'>(customer, 'later', 1), call<Shop, 'later'>(shop, 'later', 2)];
  t.deepEqual(await Promise.all(answers), [1, 2]);
  t.deepEqual(others, ['hello']);
});

test("what a handler throws is its caller's error", async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  serveCalls<Shop>(shop, {
    price: () => {
      throw new Error('no such toy');
    },
    later: () => Promise.reject(new Error('closed today')),
  });
  const price = await t.throwsAsync(call<Shop, 'price'>(customer, 'price', 'Tux'), { instanceOf: PortCallError });
  t.like(price, { code: 'CALL_FAILED', message: 'no such toy' });
  const later = await t.throwsAsync(call<Shop, 'later'>(customer, 'later', 1), { instanceOf: PortCallError });
  t.like(later, { code: 'CALL_FAILED', message: 'closed today' });
});

test('a name that nobody serves, and an answer that cannot be sent, fail the call', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  serveCalls<Shop>(shop, { price: (() => () => {}) as never, later: (value) => value });
  const unsendable = await t.throwsAsync(call<Shop, 'price'>(customer, 'price', 'Tux'), { instanceOf: PortCallError });
  t.is(unsendable?.code, 'CALL_FAILED');
  type Other = { readonly other: { readonly request: undefined; readonly reply: undefined } };
  const unknown = await t.throwsAsync(call<Other, 'other'>(customer, 'other', undefined), {
    instanceOf: PortCallError,
  });
  t.like(unknown, { code: 'CALL_FAILED', message: 'nothing serves other' });
});

test("a call times out, and a late answer is nobody's", async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  let answerLate: (value: number) => void = () => {};
  serveCalls<Shop>(shop, {
    price: () => 1,
    later: () =>
      new Promise((resolve) => {
        answerLate = resolve;
      }),
  });
  const error = await t.throwsAsync(call<Shop, 'later'>(customer, 'later', 1, 5), { instanceOf: PortCallError });
  t.is(error?.code, 'CALL_TIMEOUT');
  answerLate(7);
  t.is(await call<Shop, 'price'>(customer, 'price', 'Tux'), 1);
});

test('when the other end goes, calls end', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  const open = call<Shop, 'price'>(customer, 'price', 'Tux');
  const closed = once(customer, 'close');
  shop.close();
  t.is((await t.throwsAsync(open, { instanceOf: PortCallError }))?.code, 'PORT_CLOSED');
  await closed;
  const next = call<Shop, 'price'>(customer, 'price', 'Tux');
  t.is((await t.throwsAsync(next, { instanceOf: PortCallError }))?.code, 'PORT_CLOSED');
});

test('the code of an error crosses with it', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  serveCalls<Shop>(shop, {
    price: () => Promise.reject(Object.assign(new Error('a toy has a name'), { code: 'INVALID_ARGUMENT' })),
    later: () => Promise.reject(Object.assign(new Error('numbers are no codes here'), { code: 14 })),
  });
  const invalid = await t.throwsAsync(call<Shop, 'price'>(customer, 'price', ''), { instanceOf: PortCallError });
  t.like(invalid, { code: 'INVALID_ARGUMENT', message: 'a toy has a name' });
  const other = await t.throwsAsync(call<Shop, 'later'>(customer, 'later', 1), { instanceOf: PortCallError });
  t.is(other?.code, 'CALL_FAILED');
});

test('a request that cannot be cloned fails at once and leaves no timer', async (t) => {
  const { customer } = shopAndCustomer(t);
  type Odd = { readonly odd: { readonly request: () => void; readonly reply: undefined } };
  const started = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const error: unknown = await call<Odd, 'odd'>(customer, 'odd', () => {}, 60_000).catch((error) => error);
  t.is((error as DOMException).name, 'DataCloneError');
  t.is(process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length, started);
});

test('several parts of a program serve one port, each by names of its own', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  type Tax = { readonly tax: { readonly request: number; readonly reply: number } };
  serveCalls<Shop>(shop, { price: () => 10, later: (value) => value });
  serveCalls<Tax>(shop, { tax: (price) => price / 5 });
  t.is(await call<Tax, 'tax'>(customer, 'tax', await call<Shop, 'price'>(customer, 'price', 'Tux')), 2);
});

test('a notification arrives in order with calls, and nothing comes back', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  type News = { readonly open: { readonly request: boolean; readonly reply: undefined } };
  const seen: unknown[] = [];
  serveCalls<News>(shop, {
    open: (isOpen) => {
      seen.push(isOpen);
      return undefined;
    },
  });
  serveCalls<Shop>(shop, { price: () => seen.length, later: (value) => value });
  const replies: unknown[] = [];
  customer.on('message', (message) => replies.push(message));
  for (const isOpen of [true, false]) notify<News, 'open'>(customer, 'open', isOpen);
  notify<Shop & Record<'nobody', { request: null; reply: null }>, 'nobody'>(customer, 'nobody', null);
  t.is(await call<Shop, 'price'>(customer, 'price', 'Tux'), 2);
  t.deepEqual(seen, [true, false]);
  t.is(replies.length, 1);
});

const PARTS: [name: string, bytes: Uint8Array, arrives: number][] = [
  ['bytes that fill their buffer', Uint8Array.of(1, 2, 3), 3],
  ['a part of a large buffer', new Uint8Array(new ArrayBuffer(1 << 20), 4096, 3).fill(7), 3],
  ['a Buffer from the pool', Buffer.from('abc'), 3],
];

for (const [name, bytes, arrives] of PARTS) {
  test(`${name}: only the bytes themselves cross, both ways`, async (t) => {
    const { shop, customer } = shopAndCustomer(t);
    type Echo = { readonly echo: { readonly request: Uint8Array; readonly reply: Uint8Array } };
    let received = 0;
    serveCalls<Echo>(shop, {
      echo: (request) => {
        received = request.buffer.byteLength;
        return bytes;
      },
    });
    const answer = await call<Echo, 'echo'>(customer, 'echo', bytes);
    t.deepEqual([received, answer.buffer.byteLength, [...answer]], [arrives, arrives, [...bytes]]);
    t.is(ownBytes(bytes) === bytes, bytes.buffer.byteLength === bytes.byteLength);
  });
}
