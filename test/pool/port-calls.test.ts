// Calls over a MessagePort: both ways, out of order, failing, timing out, and with nobody at the other end.

import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { call, PoolError, serveCalls } from '../../src/pool/index.js';

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
  const price = await t.throwsAsync(call<Shop, 'price'>(customer, 'price', 'Tux'), { instanceOf: PoolError });
  t.like(price, { code: 'CALL_FAILED', message: 'no such toy' });
  const later = await t.throwsAsync(call<Shop, 'later'>(customer, 'later', 1), { instanceOf: PoolError });
  t.like(later, { code: 'CALL_FAILED', message: 'closed today' });
});

test('a name that nobody serves, and an answer that cannot be sent, fail the call', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  serveCalls<Shop>(shop, { price: (() => () => {}) as never, later: (value) => value });
  const unsendable = await t.throwsAsync(call<Shop, 'price'>(customer, 'price', 'Tux'), { instanceOf: PoolError });
  t.is(unsendable?.code, 'CALL_FAILED');
  type Other = { readonly other: { readonly request: undefined; readonly reply: undefined } };
  const unknown = await t.throwsAsync(call<Other, 'other'>(customer, 'other', undefined), { instanceOf: PoolError });
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
  const error = await t.throwsAsync(call<Shop, 'later'>(customer, 'later', 1, 5), { instanceOf: PoolError });
  t.is(error?.code, 'CALL_TIMEOUT');
  answerLate(7);
  t.is(await call<Shop, 'price'>(customer, 'price', 'Tux'), 1);
});

test('when the other end goes, calls end', async (t) => {
  const { shop, customer } = shopAndCustomer(t);
  const open = call<Shop, 'price'>(customer, 'price', 'Tux');
  const closed = once(customer, 'close');
  shop.close();
  t.is((await t.throwsAsync(open, { instanceOf: PoolError }))?.code, 'PORT_CLOSED');
  await closed;
  const next = call<Shop, 'price'>(customer, 'price', 'Tux');
  t.is((await t.throwsAsync(next, { instanceOf: PoolError }))?.code, 'PORT_CLOSED');
});
