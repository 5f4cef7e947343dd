// How the page looks and is worked: on a phone, in the dark, by keyboard alone, by screen reader.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest, { type TestFn } from 'ava';
import type { Page } from 'playwright-core';
import { openShop, type Shop, ToyCard, untilTrue } from './visitors.js';

/** As long as a name may be, without a place to break it. */
const LONG_NAME = 'Wolpertinger'.repeat(6).slice(0, 64);
const PHONES = [320, 360, 412];

const test = anyTest as TestFn<{ shop: Shop; path: string }>;

test.before(async (t) => {
  t.context.path = await mkdtemp(join(tmpdir(), 'look-'));
  const seed = join(t.context.path, 'toys.csv');
  const many = Array.from({ length: 117 }, (_, index) => `Toy number ${index},${index}.5,${index}\n`);
  await writeFile(
    seed,
    `name,price,quantity\nTux,15.99,100\nFox,12,0\n${LONG_NAME},1234567.89,4294967295\n${many.join('')}`,
  );
  t.context.shop = await openShop({ SEED_CSV: seed });
});

test.after.always(async (t) => {
  await t.context.shop?.[Symbol.asyncDispose]();
  await rm(t.context.path, { recursive: true, force: true });
});

async function untilFigures(page: Page): Promise<void> {
  await page.locator('[data-service="order"] tbody tr').first().waitFor();
  await page.locator('figure canvas').nth(2).waitFor();
}

for (const width of PHONES) {
  test.serial(
    `a phone, ${width} px wide: nothing to scroll sideways, meanings and a hundred toys included`,
    async (t) => {
      const viewport = { width, height: 740 };
      const page = await (await t.context.shop.visitor(t, { viewport, isMobile: true, hasTouch: true })).open();
      await untilFigures(page);
      t.is(await page.locator('.toy').count(), 100);
      t.is(await page.locator('#more-toys').textContent(), 'and 20 more, by GET /products/<name>');
      const overflow = () =>
        page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      t.is(await overflow(), 0);
      const buttons = page.locator('.explained button');
      for (let index = 0; index < (await buttons.count()); index += 1) {
        await buttons.nth(index).focus();
        t.is(await overflow(), 0, (await buttons.nth(index).textContent()) ?? '');
      }
      await new ToyCard(page, 'Tux').button.tap();
      await new ToyCard(page, 'Tux').untilOutcome('sold');
      t.is(await overflow(), 0);
    },
  );
}

test.serial('by keyboard alone: skip to the toys, choose how many, buy, and stay where one was', async (t) => {
  const page = await (await t.context.shop.visitor(t)).open();
  const focused = async () =>
    page.evaluate('document.activeElement.textContent || document.activeElement.labels[0].textContent');
  await page.keyboard.press('Tab');
  t.is(await focused(), 'Skip to the toys');
  t.true(await page.locator('.skip').isVisible());
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  t.is(await focused(), 'Quantity of Tux');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Tab');
  t.is(await focused(), 'Buy Tux');
  t.not(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none');
  await page.keyboard.press('Enter');
  await new ToyCard(page, 'Tux').untilOutcome('sold');
  t.is(await focused(), 'Buy Tux');
  await page.locator('#orders li', { hasText: /2 × Tux/ }).waitFor();
  // Figures come and go each second; the focus stays on what explains one of them.
  await untilFigures(page);
  const busy = page.locator('[data-service="order"]').getByRole('button', { name: 'Busy' });
  await busy.focus();
  const newest = page.locator('.legend').first();
  const before = await page.evaluate('performance.now()');
  await untilTrue(page, `performance.now() > ${Number(before) + 2500}`);
  t.truthy(await newest.textContent());
  t.is(await focused(), 'Busy');
});

test.serial('in the dark the page is dark, and charts are drawn anew when that changes', async (t) => {
  const page = await (await t.context.shop.visitor(t, { colorScheme: 'dark' })).open();
  const brightness = async () => {
    const color = String(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
    return (color.match(/\d+/g) ?? []).reduce((sum, part) => sum + Number(part), 0) / 3;
  };
  await untilFigures(page);
  t.true((await brightness()) < 60);
  await page.evaluate('globalThis.canvas = document.querySelector("figure canvas")');
  await page.emulateMedia({ colorScheme: 'light' });
  t.true((await brightness()) > 200);
  await untilTrue(page, '!canvas.isConnected && document.querySelectorAll("figure canvas").length === 3');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(`axe-core finds nothing serious or critical: ${colorScheme}`, async (t) => {
    // axe-core is put into the page by the test, which the page's own policy would not let it do.
    const page = await (await t.context.shop.visitor(t, { colorScheme, bypassCSP: true, statuses: [409] })).open();
    await untilFigures(page);
    const tux = new ToyCard(page, 'Tux');
    await tux.button.click();
    await tux.untilOutcome('sold');
    const fox = new ToyCard(page, 'Fox');
    await fox.button.click({ force: true });
    await fox.untilOutcome('refused');
    await page.getByRole('button', { name: 'Finds a second' }).focus();
    await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations, passes } = (await page.evaluate('axe.run()')) as {
      violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
      passes: unknown[];
    };
    t.true(passes.length > 10);
    for (const { id, impact } of violations) t.log(`${impact}: ${id}`);
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    t.deepEqual(
      grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`),
      [],
    );
  });
}
