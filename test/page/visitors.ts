// visitors.ts: a store, a Chromium, and the windows that its visitors have open. Whatever a test is about, no window may
// have an error on its console, and none may ask anybody but the store for anything.

import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { StoreProcess } from '../support/store-process.js';

/** Nothing that a fresh Chromium would do by itself: no sandbox for root, no updates, no reports, no other protocol. */
const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
];
/** Generous: browser and store may share two slow cores with much else. */
const ACTION_TIMEOUT_MS = 60_000;
const LOOK_AGAIN_MS = 50;

export interface Shop extends AsyncDisposable {
  readonly store: StoreProcess;
  readonly url: string;
  /** Another browser profile, with nothing kept from any other. */
  visitor(t: ExecutionContext, options?: VisitorOptions): Promise<Visitor>;
}

export interface VisitorOptions extends BrowserContextOptions {
  /** Statuses that the test provokes: Chromium itself puts a line on the console for each. */
  readonly statuses?: readonly number[];
  /** The test cuts connections: Chromium puts a line on the console for each. */
  readonly cutsConnections?: boolean;
}

export interface Visitor {
  readonly context: BrowserContext;
  /** A window of this visitor that shows toys. */
  open(): Promise<Page>;
}

/** Starts a store and a browser. */
export async function openShop(env: Record<string, string> = {}): Promise<Shop> {
  const store = await StoreProcess.start('start', { env });
  let browser: Browser;
  try {
    const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
    browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
  const url = `http://127.0.0.1:${store.port}`;
  return {
    store,
    url,
    visitor: (t, options = {}) => newVisitor(t, browser, url, options),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function newVisitor(
  t: ExecutionContext,
  browser: Browser,
  url: string,
  { statuses = [], cutsConnections = false, ...options }: VisitorOptions,
): Promise<Visitor> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(ACTION_TIMEOUT_MS);
  const complaints: string[] = [];
  context.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`)) complaints.push(`asked for ${request.url()}`);
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    const text = message.text();
    const isProvoked = statuses.some((status) => text.includes(`a status of ${status} `));
    if (isProvoked || (cutsConnections && text.includes('net::ERR_'))) return;
    complaints.push(`${message.type()} on the console: ${text}`);
  });
  t.teardown(async () => {
    await context.close();
    if (complaints.length > 0) throw new Error(`the page was not quiet: ${complaints.join('; ')}`);
  });
  return {
    context,
    async open() {
      const page = await context.newPage();
      await page.goto(url);
      await page.locator('#toys .toy').first().waitFor();
      return page;
    },
  };
}

/** The card of a toy. */
export class ToyCard {
  constructor(
    readonly page: Page,
    readonly name: string,
  ) {}

  get #card() {
    return this.page.locator('.toy').filter({ has: this.page.getByRole('heading', { name: this.name, exact: true }) });
  }

  get button() {
    return this.page.getByRole('button', { name: `Buy ${this.name}`, exact: true });
  }

  get quantity() {
    return this.page.getByLabel(`Quantity of ${this.name}`, { exact: true });
  }

  /** Waits until the card shows this stock. */
  async untilStock(text: string): Promise<void> {
    await this.#card.locator('.stock', { hasText: new RegExp(`^${text}$`) }).waitFor();
  }

  /** Waits until the card says what became of an order, and tells it. */
  async untilOutcome(kind: 'sold' | 'refused' | 'open'): Promise<string> {
    const outcome = this.#card.locator(`.outcome[data-kind="${kind}"]`);
    await outcome.waitFor();
    return (await outcome.textContent()) ?? '';
  }
}

/** Waits until an expression holds in a window. (Playwright's own way is `eval`, which the page's policy forbids.) */
export async function untilTrue(page: Page, expression: string): Promise<void> {
  while (!(await page.evaluate(expression))) await delay(LOOK_AGAIN_MS);
}

/** The orders that a window lists, newest first. */
export async function listedOrders(page: Page): Promise<string[]> {
  return page.locator('#orders li').allInnerTexts();
}
