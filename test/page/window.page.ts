// The window into the store, in a real browser: figures that move, what they mean, and services that go away and come back.

import anyTest, { type TestFn } from 'ava';
import { buy, call } from '../support/store-client.js';
import { openShop, type Shop, untilTrue } from './visitors.js';

/** A service that goes away or comes back is seen within this. */
const SEEN_WITHIN_MS = 2_000;

const test = anyTest as TestFn<{ shop: Shop }>;

test.before(async (t) => {
  t.context.shop = await openShop();
});

test.after.always(async (t) => {
  await t.context.shop?.[Symbol.asyncDispose]();
});

/** What the page's line about the connection said, and when, in milliseconds since 1970. */
const NOTE_CONNECTION = `
  globalThis.said = [];
  const line = document.getElementById('connection');
  const note = () => said.push([Date.now(), line.textContent]);
  new MutationObserver(note).observe(line, { childList: true, characterData: true, subtree: true });
  note();
`;

test.serial('finds and orders are seen in the figures and in the charts', async (t) => {
  const { shop } = t.context;
  const page = await (await shop.visitor(t)).open();
  const value = (title: string) => page.locator('.tile', { hasText: title }).locator('dd');
  let isWatching = true;
  const load = (async () => {
    while (isWatching) {
      await call(shop.store.port, 'GET', '/products/Tux');
      await buy(shop.store.port, 'Whale', 1);
    }
  })();
  for (const title of ['Finds a second', 'Orders a second', 'Syncs a second', 'A sync takes', 'Orders in a message']) {
    await value(title).filter({ hasText: /[1-9]/ }).waitFor();
  }
  for (const chart of ['Requests a second', 'Latency of finds', 'Latency of orders']) {
    const figure = page.locator('figure', { hasText: chart });
    await figure.locator('.legend', { hasText: /[1-9]/ }).waitFor();
    await figure.locator('canvas').waitFor();
  }
  isWatching = false;
  await load;
  for (const service of ['frontend', 'catalog', 'order']) {
    const card = page.locator(`[data-service="${service}"]`);
    t.is(await card.locator('.state').textContent(), 'up, selling');
    await card.locator('tbody tr').first().filter({ hasText: '%' }).waitFor();
  }
});

test.serial(
  'each figure tells what it means and its metric, on hover, focus and tap; every metric exists',
  async (t) => {
    const { shop } = t.context;
    const page = await (await shop.visitor(t)).open();
    await page.locator('[data-service="order"] tbody tr').first().waitFor();
    const metrics = (await call(shop.store.port, 'GET', '/metrics')).body;
    const buttons = page.locator('.explained button');
    const count = await buttons.count();
    // 12 tiles, 3 charts, and for each of 3 services its state and 3 columns.
    t.is(count, 27);
    t.is(await page.locator('.tile').count(), 12);
    for (let index = 0; index < count; index += 1) {
      const button = buttons.nth(index);
      const meaning = page.locator(`#${await button.getAttribute('aria-describedby')}`);
      t.false(await meaning.isVisible());
      await button.hover();
      t.true(await meaning.isVisible(), 'on hover');
      await page.mouse.move(0, 0);
      t.false(await meaning.isVisible());
      await button.focus();
      t.true(await meaning.isVisible(), 'on focus');
      await button.blur();
      for (const metric of await meaning.locator('code').allInnerTexts()) {
        t.true(metrics.includes(`# TYPE ${metric} `), metric);
      }
    }
    await page.getByText('A store may have several front ends').waitFor();
  },
);

test.serial('a tap tells what a figure means', async (t) => {
  const page = await (await t.context.shop.visitor(t, { hasTouch: true, isMobile: true })).open();
  await page.getByRole('button', { name: 'Lock waits a second' }).tap();
  const meaning = page.getByText('had to wait for the reader-writer lock');
  await meaning.waitFor();
  t.true(await meaning.isVisible());
});

test.serial('Escape closes a meaning, wherever pointer and focus are, until they have gone', async (t) => {
  const page = await (await t.context.shop.visitor(t)).open();
  const button = page.getByRole('button', { name: 'Lock waits a second' });
  const meaning = page.getByText('had to wait for the reader-writer lock');
  for (const open of [() => button.hover(), () => button.focus()]) {
    await open();
    t.true(await meaning.isVisible());
    await page.keyboard.press('Escape');
    t.false(await meaning.isVisible());
    await button.click();
    t.true(await meaning.isVisible(), 'a click opens it again');
    await page.keyboard.press('Escape');
    await page.mouse.move(0, 0);
    await button.blur();
    t.false(await meaning.isVisible());
  }
});

for (const elsewhere of ['h1', '.tile:has-text("Lock waits a second") dd']) {
  test.serial(`a tap elsewhere closes a meaning: ${elsewhere}`, async (t) => {
    const page = await (await t.context.shop.visitor(t, { hasTouch: true, isMobile: true })).open();
    const button = page.getByRole('button', { name: 'Lock waits a second' });
    const meaning = page.getByText('had to wait for the reader-writer lock');
    for (const time of ['first', 'second']) {
      await button.tap();
      t.true(await meaning.isVisible(), time);
      await page.locator(elsewhere).tap();
      t.false(await meaning.isVisible(), time);
    }
  });
}

for (const [service, title] of [
  ['catalog', 'Catalog'],
  ['order', 'Order'],
] as const) {
  test.serial(`${service} killed: seen within ${SEEN_WITHIN_MS} ms, and so is its return`, async (t) => {
    const { shop } = t.context;
    const { store } = shop;
    const page = await (await shop.visitor(t)).open();
    await page.locator('#connection[data-state="live"]').waitFor();
    await page.evaluate(NOTE_CONNECTION);
    const pid = store.servicePid(service);
    const startedLines = () =>
      store.logs.filter((line) => line.service === service && line.message === 'started') as { time: string }[];
    const starts = startedLines().length;
    const killedAtMs = Date.now();
    process.kill(pid, 'SIGKILL');
    await store.until(() => startedLines().length > starts, `${service} is back`);
    const backAtMs = Date.parse(startedLines().at(-1)!.time);
    await untilTrue(page, 'said.length > 1 && said.at(-1)[1] === "Live"');
    const said = (await page.evaluate('said')) as [atMs: number, text: string][];
    const awayAtMs = said.find(([, text]) => text.includes(`The ${service}`) && text.includes('away'))?.[0] ?? Infinity;
    t.log(`away after ${awayAtMs - killedAtMs} ms, back after ${said.at(-1)![0] - backAtMs} ms`);
    t.true(awayAtMs - killedAtMs <= SEEN_WITHIN_MS, `${killedAtMs}: ${JSON.stringify(said)}`);
    t.true(said.at(-1)![0] - backAtMs <= SEEN_WITHIN_MS, `${backAtMs}: ${JSON.stringify(said)}`);
    t.is(await page.locator('.service', { hasText: title }).last().count(), 1);
  });
}
