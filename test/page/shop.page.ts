// The shop in a real browser: what a visitor buys is sold once, whatever they click and whatever gets lost.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest, { type TestFn } from 'ava';
import { buy, call, stockOf } from '../support/store-client.js';
import { listedOrders, openShop, type Shop, ToyCard } from './visitors.js';

/** A toy for each test. */
const TOYS = `name,price,quantity
Tux,15.99,100
Whale,19.5,100
Elephant,12,100
Dolphin,17.25,100
Fox,12.99,100
Python,14.5,2
Owl,9.99,100
Otter,11,100
"<b>Bear</b> & ""friends""",1234567.89,4294967295
`;

const test = anyTest as TestFn<{ shop: Shop; path: string }>;

test.before(async (t) => {
  t.context.path = await mkdtemp(join(tmpdir(), 'shop-'));
  const seed = join(t.context.path, 'toys.csv');
  await writeFile(seed, TOYS);
  t.context.shop = await openShop({ SEED_CSV: seed });
});

test.after.always(async (t) => {
  await t.context.shop?.[Symbol.asyncDispose]();
  await rm(t.context.path, { recursive: true, force: true });
});

/** The order that a window lists first, as the store tells it. */
async function orderOf(shop: Shop, listed: string | undefined): Promise<{ name: string; quantity: number }> {
  const number = /^Order (\d+):/.exec(listed ?? '')?.[1];
  return JSON.parse((await call(shop.store.port, 'GET', `/orders/${number}`)).body).data;
}

test.serial('a click buys, and stock and order are seen', async (t) => {
  const { shop } = t.context;
  const page = await (await shop.visitor(t)).open();
  const tux = new ToyCard(page, 'Tux');
  await tux.untilStock('100 left');
  await tux.quantity.fill('3');
  await tux.button.click();
  t.regex(await tux.untilOutcome('sold'), /^Order \d+ is yours\.$/);
  await tux.untilStock('97 left');
  const orders = await listedOrders(page);
  t.is(orders.length, 1);
  t.like(await orderOf(shop, orders[0]), { name: 'Tux', quantity: 3 });
});

test.serial(
  'windows see what is bought in others and elsewhere; orders are of one visitor, in each window',
  async (t) => {
    const { shop } = t.context;
    const [ann, bob] = [await shop.visitor(t), await shop.visitor(t)];
    const [annsFirst, annsSecond, bobs] = [await ann.open(), await ann.open(), await bob.open()];
    const whales = [annsFirst, annsSecond, bobs].map((page) => new ToyCard(page, 'Whale'));
    await whales[0]!.button.click();
    await Promise.all(whales.map((whale) => whale.untilStock('99 left')));
    await whales[2]!.button.click();
    await Promise.all(whales.map((whale) => whale.untilStock('98 left')));
    await whales[1]!.button.click();
    await Promise.all(whales.map((whale) => whale.untilStock('97 left')));
    await buy(shop.store.port, 'Whale', 7);
    await Promise.all(whales.map((whale) => whale.untilStock('90 left')));
    // Both of hers stand in each of her windows, after a reload as well.
    await annsFirst.locator('#orders li').nth(1).waitFor();
    await annsSecond.locator('#orders li').nth(1).waitFor();
    const orders = await listedOrders(annsFirst);
    t.is(orders.length, 2);
    t.deepEqual(await listedOrders(annsSecond), orders);
    await annsFirst.reload();
    t.deepEqual(await listedOrders(annsFirst), orders);
    t.is((await listedOrders(bobs)).length, 1);
  },
);

test.serial('a double click buys once', async (t) => {
  const { shop } = t.context;
  const page = await (await shop.visitor(t)).open();
  const elephant = new ToyCard(page, 'Elephant');
  await elephant.button.dblclick();
  await elephant.untilOutcome('sold');
  // Slower than any answer of the store, and still one double click.
  await elephant.button.dblclick({ delay: 150 });
  await page.locator('#orders li').nth(1).waitFor();
  await elephant.untilStock('98 left');
  t.is((await listedOrders(page)).length, 2);
});

test.serial('a lost answer is asked for again, and bought once', async (t) => {
  const { shop } = t.context;
  const page = await (await shop.visitor(t, { cutsConnections: true })).open();
  const keys: (string | null)[] = [];
  await page.route('**/orders', async (route) => {
    keys.push(await route.request().headerValue('idempotency-key'));
    if (keys.length > 2) return route.continue();
    // The store has sold it; the visitor's line breaks before the answer.
    await route.fetch();
    await route.abort('connectionreset');
  });
  const dolphin = new ToyCard(page, 'Dolphin');
  await dolphin.button.click();
  t.regex(await dolphin.untilOutcome('open'), /lost|On its way/);
  await dolphin.untilOutcome('sold');
  t.is(keys.length, 3);
  t.is(new Set(keys).size, 1);
  t.is(await stockOf(shop.store.port, 'Dolphin'), 99);
  t.is((await listedOrders(page)).length, 1);
});

test.serial('a reload while an order is open, with a purchase in another window meanwhile, buys once', async (t) => {
  const { shop } = t.context;
  const visitor = await shop.visitor(t, { cutsConnections: true });
  const [page, other] = [await visitor.open(), await visitor.open()];
  const reached = new Promise<void>((resolve) => {
    void page.route('**/orders', async (route) => {
      await route.fetch();
      resolve();
      // No answer: the page is left before.
    });
  });
  const fox = new ToyCard(page, 'Fox');
  await fox.button.click();
  await reached;
  t.regex((await listedOrders(page)).join(), /^1 × Fox: not answered yet/);
  // What another window writes down must not make this one forget.
  await new ToyCard(other, 'Owl').button.click();
  await new ToyCard(other, 'Owl').untilOutcome('sold');
  await page.unroute('**/orders');
  await page.reload();
  await page.locator('#orders li', { hasText: /^Order \d+: 1 × Fox$/ }).waitFor();
  await page.locator('#orders li', { hasText: 'not answered' }).waitFor({ state: 'detached' });
  t.is((await listedOrders(page)).length, 2);
  t.is(await stockOf(shop.store.port, 'Fox'), 99);
  t.is(await stockOf(shop.store.port, 'Owl'), 99);
});

test.serial(
  'a store that cannot answer is shown as what it is, and the order is bought once when it can',
  async (t) => {
    const { shop } = t.context;
    const page = await (await shop.visitor(t, { statuses: [503] })).open();
    let tries = 0;
    await page.route('**/orders', async (route) => {
      tries += 1;
      if (tries > 1) return route.continue();
      const body = JSON.stringify({ error: { code: 503, message: 'the order service is away' } });
      await route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, contentType: 'application/json', body });
    });
    const otter = new ToyCard(page, 'Otter');
    await otter.button.click();
    await page.getByText('503: the order service is away').first().waitFor();
    await otter.untilOutcome('sold');
    t.is(await stockOf(shop.store.port, 'Otter'), 99);
  },
);

test.serial('what is refused is shown as what it is: too many, sold out, no quantity', async (t) => {
  const { shop } = t.context;
  const page = await (await shop.visitor(t, { statuses: [409] })).open();
  const python = new ToyCard(page, 'Python');
  await python.quantity.fill('3');
  await python.button.click();
  t.is(await python.untilOutcome('refused'), '409: not enough stock');
  await python.quantity.fill('0.5');
  await python.button.click();
  await page.getByText('The quantity must be a whole number of at least 1.').waitFor();
  t.is(await page.evaluate('document.activeElement.id'), await python.quantity.getAttribute('id'));
  await python.quantity.fill('2');
  await python.button.click();
  await python.untilOutcome('sold');
  await python.untilStock('sold out');
  t.is(await python.button.getAttribute('aria-disabled'), 'true');
  // The stock that a page shows may be old by a second: who tries is told by the store.
  await python.quantity.fill('1');
  await python.button.click({ force: true });
  t.is(await python.untilOutcome('refused'), '409: not enough stock');
  t.is((await listedOrders(page)).length, 1);
});

test.serial('names are text, whatever stands in them', async (t) => {
  const { shop } = t.context;
  const page = await (await shop.visitor(t)).open();
  const bear = new ToyCard(page, '<b>Bear</b> & "friends"');
  await bear.untilStock('4,294,967,295 left');
  await bear.button.click();
  await bear.untilOutcome('sold');
  t.is((await listedOrders(page))[0]?.replace(/^Order \d+: /, ''), '1 × <b>Bear</b> & "friends"');
  t.is(await page.locator('#toys b').count(), 0);
});
