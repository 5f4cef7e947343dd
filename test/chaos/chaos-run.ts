// chaos-run.ts: one run of chaos from an empty data directory to the last line of the books.
//
//   start ── buyers and saboteur ──(time is up, or closing)── all services up ── every wish answered ── books agree
//         ── every toy's history is linearizable ── stop, exit code 0 ── books agree from the files alone
//
// It is bounded: each step has a time limit of its own, and passing it is a violation like any other. Where something is
// wrong the data directory is kept, with the services' log and all that was asked and answered beside the files.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../src/log.js';
import type { Durability } from '../../src/settings.js';
import { checkStockHistory } from '../linearizability/stock-checker.js';
import { freePort } from '../support/free-port.js';
import { StoreProcess } from '../support/store-process.js';
import { checkLookups, readBooks } from './book-reader.js';
import { checkBooks } from './books.js';
import { Buyer } from './buyer.js';
import { ChaosNotes, type Failures } from './chaos-notes.js';
import { keepReading } from './file-reader.js';
import { lookByGrpc, lookByHttp } from './onlooker.js';
import { Saboteur, type ServiceName } from './saboteur.js';
import { type ChaosToy, seedCsv } from './shelf.js';
import { UnsteadyLink } from './unsteady-link.js';

export interface ChaosPlan {
  readonly seed: number;
  /** How long the buyers and the saboteur go on. */
  readonly seconds: number;
  readonly clients: number;
  readonly durability: Durability;
  readonly shelf: readonly ChaosToy[];
  /** See BuyerOptions. */
  readonly thinkMsMax?: number;
  /** Without: the same run, undisturbed. */
  readonly hasSaboteur: boolean;
}

export interface ChaosResult {
  readonly violations: readonly string[];
  /** Kept if there are violations, removed if not. */
  readonly dataDir: string | undefined;
  /** From the first start to the last check. */
  readonly durationSeconds: number;
  readonly sold: number;
  readonly refused: number;
  readonly open: number;
  readonly repeats: number;
  readonly queries: number;
  readonly failures: Failures;
  readonly kills: Readonly<Record<ServiceName, number>>;
  readonly stops: Readonly<Record<ServiceName, number>>;
  /** What else was done to the store, and how often. */
  readonly tricks: Readonly<Record<string, number>>;
  readonly longestOutageMs: number;
}

/** A run under way, for those who watch. */
export interface ChaosProgress {
  readonly notes: ChaosNotes;
  readonly kills: Readonly<Record<ServiceName, number>>;
  readonly stage: 'selling' | 'waiting for answers' | 'checking the books';
}

/** Once all services are up; an answer may take 10 s, and one of a stopped front end 15 s, before it is asked for again. */
const ANSWERS_TIMEOUT_MS = 45_000;
/** What is under way when the last answer is in: orders that nobody waits for, and catalog.csv. */
const BOOKS_TIMEOUT_MS = 20_000;
const BOOKS_POLL_MS = 200;
const SETTINGS = { LOG_LEVEL: 'info', HOST: '127.0.0.1', THREADS: '2', PACKED_SESSIONS: '1' } as const;
/** Who looks through the second front end: more than it has threads. */
const ONLOOKERS = 4;

/**
 * @param closing aborted to end the run early, with all checks
 * @param onProgress called at the beginning of each stage
 */
export async function runChaos(
  plan: ChaosPlan,
  closing: AbortSignal,
  onProgress: (progress: ChaosProgress) => void = () => {},
): Promise<ChaosResult> {
  const startedAt = performance.now();
  const dataDir = await mkdtemp(join(tmpdir(), 'toystore-chaos-'));
  const seedPath = join(dataDir, 'seed.csv');
  await writeFile(seedPath, seedCsv(plan.shelf));
  const ports = { CATALOG_PORT: String(await freePort()), ORDER_PORT: String(await freePort()) };
  const addresses = {
    CATALOG_ADDRESS: `127.0.0.1:${ports.CATALOG_PORT}`,
    ORDER_ADDRESS: `127.0.0.1:${ports.ORDER_PORT}`,
  };
  const env = { ...SETTINGS, ...ports, ...addresses, SEED_CSV: seedPath, DURABILITY: plan.durability };
  await using store = await StoreProcess.start('start', { dataDir, env, isDetached: true });
  await using link = await UnsteadyLink.start(() => Number(ports.CATALOG_PORT));
  const secondEnv = { ...SETTINGS, ...addresses, CATALOG_ADDRESS: link.address };
  await using second = await StoreProcess.start('frontend', { env: secondEnv, isDetached: true });

  const notes = new ChaosNotes(plan.shelf);
  // Not AbortSignal.any with AbortSignal.timeout: Node 20 may collect such signals as garbage before they fire.
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), plan.seconds * 1000);
  closing.addEventListener('abort', () => enough.abort());
  if (closing.aborted) enough.abort();
  const onViolation = (what: string): void => notes.violate(what);
  const saboteur = new Saboteur({
    store,
    second,
    link,
    seed: plan.seed,
    closing: enough.signal,
    onViolation,
  });
  const { kills, stops, tricks } = saboteur;
  try {
    onProgress({ notes, kills, stage: 'selling' });
    const giveUp = new AbortController();
    const buyers = startBuyers(plan, store.port, notes, enough.signal, giveUp.signal);
    const { seed, shelf } = plan;
    const onlooker = { seed, shelf, notes, closing: enough.signal };
    const onlookers = Promise.all([
      ...Array.from({ length: ONLOOKERS }, (_, index) => lookByHttp(second.port, { ...onlooker, seed: seed + index })),
      lookByHttp(store.port, onlooker),
      lookByGrpc(addresses.CATALOG_ADDRESS, onlooker),
    ]);
    const reader = keepReading({ dataDir, shelf, closing: enough.signal, onViolation, isDisturbed: plan.hasSaboteur });
    if (plan.hasSaboteur) await saboteur.run();
    else await aborted(enough.signal);
    await Promise.all([reader, onlookers]);
    onProgress({ notes, kills, stage: 'waiting for answers' });
    await within(ANSWERS_TIMEOUT_MS, buyers, () => giveUp.abort());
    onProgress({ notes, kills, stage: 'checking the books' });
    await checkRunning(plan, store, notes);
    checkHistories(notes);
    await checkStopped(plan, store, notes);
  } catch (error) {
    notes.violate(`the run broke off: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
  await store.stop('SIGTERM');
  if (notes.violations.length > 0) await keepEvidence(plan, store, notes);
  else await rm(dataDir, { recursive: true });
  const { violations, sold, refused, open, repeats, queries, failures, longestOutageMs } = notes;
  const durationSeconds = (performance.now() - startedAt) / 1000;
  const told = { sold, refused, open, repeats, queries, failures, longestOutageMs };
  const keptDir = violations.length > 0 ? dataDir : undefined;
  return { violations, dataDir: keptDir, durationSeconds, kills, stops, tricks: Object.fromEntries(tricks), ...told };
}

function startBuyers(
  { clients, seed, shelf, thinkMsMax }: ChaosPlan,
  port: number,
  notes: ChaosNotes,
  closing: AbortSignal,
  giveUp: AbortSignal,
): Promise<unknown> {
  const buyers = Array.from(
    { length: clients },
    (_, index) => new Buyer({ index, port, seed, shelf, notes, thinkMsMax, closing, giveUp }),
  );
  return Promise.all(buyers.map((buyer) => buyer.shop()));
}

/** All services are up, and every buyer has its answers. */
async function checkRunning({ shelf, seed }: ChaosPlan, store: StoreProcess, notes: ChaosNotes): Promise<void> {
  const giveUpAt = performance.now() + BOOKS_TIMEOUT_MS;
  for (;;) {
    const books = await readBooks(store.dataDir, shelf, store.port).catch((error: NodeJS.ErrnoException) => {
      // Whoever touches the files may have taken one away just now: a quarter of a second, and it has its name back.
      if (error.code === 'ENOENT' && performance.now() < giveUpAt) return undefined;
      throw error;
    });
    if (books === undefined) {
      await pause(BOOKS_POLL_MS);
      continue;
    }
    const violations = checkBooks(shelf, books, notes);
    // From outside nobody sees whether something is still under way: what is wrong must stay wrong.
    if (violations.length > 0 && performance.now() < giveUpAt) {
      await pause(BOOKS_POLL_MS);
      continue;
    }
    for (const violation of violations) notes.violate(violation);
    for (const violation of await checkLookups(store.port, books.rows, seed)) notes.violate(violation);
    return;
  }
}

function checkHistories(notes: ChaosNotes): void {
  for (const [toy, history] of notes.histories) {
    const verdict = checkStockHistory(history.initial, history.operations());
    if (!verdict.isLinearizable) notes.violate(`${toy}: no stock could have answered so: ${verdict.problem}`);
  }
}

async function checkStopped({ shelf }: ChaosPlan, store: StoreProcess, notes: ChaosNotes): Promise<void> {
  const { code, signal } = await store.stop('SIGTERM');
  if (code !== 0) notes.violate(`the store ended with ${code ?? signal} instead of 0`);
  const books = await readBooks(store.dataDir, shelf);
  for (const violation of checkBooks(shelf, books, notes)) notes.violate(`after the stop: ${violation}`);
}

async function keepEvidence(plan: ChaosPlan, store: StoreProcess, notes: ChaosNotes): Promise<void> {
  await writeFile(join(store.dataDir, 'store.log'), `${store.stderr.join('\n')}\n`);
  await writeFile(join(store.dataDir, 'history.jsonl'), `${[...notes.lines()].join('\n')}\n`);
  await writeFile(
    join(store.dataDir, 'violations.json'),
    JSON.stringify({ plan, violations: notes.violations }, null, 2),
  );
}

/** Waits for `work`; once `timeoutMs` are over it calls `hurry`, and waits on. */
async function within(timeoutMs: number, work: Promise<unknown>, hurry: () => void): Promise<void> {
  const timer = setTimeout(hurry, timeoutMs);
  await work.finally(() => clearTimeout(timer));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
