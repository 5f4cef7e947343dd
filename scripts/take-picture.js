// take-picture.js: `npm run picture`: docs/page.png, the page of a store that runs and is bought from.
//
// It starts a store in a temporary directory and the load client on it, buys in a real Chromium, and takes the picture once
// the charts have something to show. Chromium: /usr/bin/chromium, or the one that CHROMIUM names.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = `${ROOT}/dist/src/cli.js`;
const PICTURE = `${ROOT}/docs/page.png`;
const BYTES_MAX = 200_000;
/** Wide enough for all six toys in a row. */
const VIEWPORT = { width: 1152, height: 900 };
/** Long enough that the charts have a shape. */
const WATCHED_MS = 40_000;
/** Enough of each toy that the load does not sell it out. */
const TOYS = ['Tux,15.99', 'Whale,19.50', 'Elephant,12.99', 'Dolphin,17.25', 'Fox,12.49', 'Python,14.00'];

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
if (!existsSync(executablePath)) {
  process.stderr.write(
    `no Chromium at ${executablePath}: install Debian's package chromium, or name another in CHROMIUM\n`,
  );
  process.exit(1);
}
const { chromium } = await import('playwright-core');

const directory = mkdtempSync(join(tmpdir(), 'picture-'));
const seed = join(directory, 'toys.csv');
writeFileSync(seed, `name,price,quantity\n${TOYS.map((toy, index) => `${toy},${2000 + 250 * index}\n`).join('')}`);
/** @type {import('node:child_process').ChildProcess[]} */
const children = [];

function start(/** @type {string[]} */ ...args) {
  const ports = { FRONTEND_PORT: '0', CATALOG_PORT: '0', ORDER_PORT: '0' };
  const env = { ...process.env, ...ports, DATA_DIR: directory, SEED_CSV: seed, LOG_LEVEL: 'warn' };
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}

try {
  const store = start('start');
  let url = '';
  for await (const line of createInterface(store.stdout)) {
    url = /^toystore ready on (\S+)/.exec(line)?.[1] ?? '';
    if (url !== '') break;
  }
  if (url === '') throw new Error('the store did not start');
  const load = start('client', '--url', url, '--clients', '4', '--p', '0.02', '--requests', '1000000');
  load.stdout.resume();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage({ viewport: VIEWPORT });
  await page.goto(url);
  for (const name of ['Tux', 'Dolphin']) {
    await page.getByRole('button', { name: `Buy ${name}` }).click({ timeout: WATCHED_MS });
    await page.locator('.outcome[data-kind="sold"]').first().waitFor();
  }
  await page.waitForTimeout(WATCHED_MS);
  await page.mouse.move(0, 0);
  await page.screenshot({ path: PICTURE, fullPage: true });
  await browser.close();
  const { size } = statSync(PICTURE);
  process.stdout.write(`docs/page.png: ${size} bytes\n`);
  if (size > BYTES_MAX) throw new Error(`the picture is larger than ${BYTES_MAX} bytes`);
} finally {
  for (const child of children.reverse()) {
    if (child.exitCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
}
