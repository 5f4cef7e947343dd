// look-up.bench.ts: does it matter how many toys there are?
//
//   StockTable.find      in one thread, names spread over the whole catalog: 6, 1,000 and a million toys
//   GET /products/…      the whole store, one connection, one request at a time: 6, 20,000 and a million toys, of which
//                        20,000 are asked for: different names cost something too, with however many toys
//
// A million toys do not fit the processor's caches, so a look-up in the table waits for memory a few times. Through HTTP
// that is less than a hundredth of what a query takes.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseCatalog } from '../../src/catalog/catalog-file.js';
import { StockTable } from '../../src/catalog/stock-table.js';
import { LatencyHistogram } from '../load/latency-histogram.js';
import { LoadGenerator } from '../load/load-generator.js';
import type { Result, RunOptions } from '../result.js';
import { measureRounds } from '../rounds.js';
import { DATA_FOLDER } from '../run/paths.js';
import type { Target } from '../store/server-process.js';
import { startAll } from '../store/start-all.js';
import { startToystore } from '../store/toystore.js';
import { MILLION, toyNames, toysCsv } from './made-files.js';

const TABLE_SIZES = [6, 1000, MILLION] as const;
const NAMES = 200_000;
/** Of the store: few enough to be made in a moment, enough to be spread over all of its table. */
const STORE_NAMES = 20_000;
const STORE_SIZES = [STORE_NAMES, 6, MILLION] as const;
/** What “flat” means: fifty times the toys add no more than a tenth to the median of as many names. */
const BAR_RATIO = 1.1;
const MEDIAN = 50;
const NS_PER_MS = 1e6;

const subjectOf = (toys: number): string => `${toys.toLocaleString('en')} toys`;

export async function run(options: RunOptions): Promise<Result[]> {
  const inTable = await measureTable(options);
  return options.signal?.aborted ? inTable : [...inTable, ...(await measureStore(options))];
}

function measureTable(options: RunOptions): Promise<Result[]> {
  const subjects = TABLE_SIZES.map((toys) => {
    const table = StockTable.build(parseCatalog(Buffer.from(toysCsv(toys)), 'toys.csv'));
    const names = toyNames(toys, NAMES).map((name) => Buffer.from(name));
    return { name: subjectOf(toys), measure: () => nsPerLookUp(table, names) };
  });
  return measureRounds(
    {
      case: 'a look-up in the table of the catalog',
      unit: 'ns',
      better: 'lower',
      baseline: subjectOf(TABLE_SIZES[0]),
      rounds: options.quick ? 3 : 7,
      subjects,
    },
    options,
  );
}

function nsPerLookUp(table: StockTable, names: readonly Buffer[]): number {
  let found = 0;
  const startMs = performance.now();
  for (let i = 0; i < NAMES; i++) if (table.find(names[i % names.length]!) !== -1) found++;
  const elapsedMs = performance.now() - startMs;
  if (found !== NAMES) throw new Error(`${found} of ${NAMES} toys were found`);
  return (elapsedMs * NS_PER_MS) / NAMES;
}

async function measureStore(options: RunOptions): Promise<Result[]> {
  await mkdir(DATA_FOLDER, { recursive: true });
  const folder = await mkdtemp(path.join(DATA_FOLDER, 'bench-look-up-'));
  const generator = new LoadGenerator();
  let stores: Target[] = [];
  try {
    options.onProgress?.('starting stores with few toys and one with a million');
    stores = await startAll(STORE_SIZES.map((toys) => startStoreOf(toys, folder)));
    return await measureRounds(
      {
        case: 'GET /products/<one of them>, 1 connection: median latency',
        unit: 'ms',
        better: 'lower',
        baseline: subjectOf(STORE_SIZES[0]),
        rounds: options.quick ? 3 : 5,
        subjects: STORE_SIZES.map((toys, index) => ({
          name: subjectOf(toys),
          measure: () => medianLatency(generator, stores[index]!, toys, options),
          bar: toys === MILLION ? { atMost: BAR_RATIO } : undefined,
        })),
      },
      options,
    );
  } finally {
    generator.close();
    await Promise.all(stores.map((store) => store.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function startStoreOf(toys: number, folder: string): Promise<Target> {
  const seed = path.join(folder, `toys-${toys}.csv`);
  await writeFile(seed, toysCsv(toys));
  return startToystore({ settings: { SEED_CSV: seed } });
}

async function medianLatency(
  generator: LoadGenerator,
  { host, port }: Target,
  toys: number,
  { quick, signal }: RunOptions,
): Promise<number> {
  const work = { kind: 'query', toys: toyNames(toys, STORE_NAMES) } as const;
  const job = { host, port, connections: 1, work, durationMs: quick ? 400 : 1500, warmupMs: 300 };
  const { query } = await generator.run(job, signal);
  if (query.errors > 0) throw new Error(`${query.errors} errors: ${query.errorSamples.join(', ')}`);
  return LatencyHistogram.decode(query.histogram).atMs(MEDIAN);
}
