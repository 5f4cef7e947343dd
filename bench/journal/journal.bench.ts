// journal.bench.ts: what does it cost to have a record on disk before the answer, and how long is the way back?
//
//   commit    1, 8, 64 and 256 callers, each commits a record, waits, and commits the next one
//               group commit          the journal: one write and one sync for all that came meanwhile
//               one sync per record   the same bytes, each with a write and an fdatasync of its own
//   recovery  a journal of a million records, opened: read, checked, handed over
//               reading alone         the bytes of the same file, read in chunks and looked at no further
//
// Each round checks its own result: every record that was committed is read back. The files lie beside the compiled code,
// on the disk of the repository: a memory file system would make every sync look free.

import { mkdtemp, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { Journal, nodeFileSystem } from '../../src/storage/index.js';
import type { Result, RunOptions } from '../result.js';
import { measureRounds } from '../rounds.js';
import { COMPILED_FOLDER } from '../run/paths.js';

const CALLERS = [1, 8, 64, 256] as const;
/** About what one sale takes in the catalog's journal. */
const PAYLOAD = Buffer.alloc(48, 'x');
const RECORDS = 1_000_000;
const READ_BYTES = 1024 * 1024;
const MS_PER_S = 1000;

const GROUP_COMMIT = 'group commit';
const ONE_SYNC_EACH = 'one sync per record';
const READING_ALONE = 'reading alone';

/** The bar of issue and design: at 64 connections, five times what a sync for each order gives. */
const BAR_CALLERS = 64;
const BAR_RATIO = 5;

export async function run(options: RunOptions): Promise<Result[]> {
  const folder = await mkdtemp(path.join(COMPILED_FOLDER, 'journal-'));
  try {
    const results: Result[] = [];
    for (const callers of CALLERS) results.push(...(await measureCommits(folder, callers, options)));
    if (!options.signal?.aborted) results.push(...(await measureRecovery(folder, options)));
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Records per second, and how many of them shared a sync. */
async function measureCommits(folder: string, callers: number, options: RunOptions): Promise<Result[]> {
  const durationMs = options.quick ? 150 : 600;
  const recordsPerSync: number[] = [];
  const caseName = `records committed, ${callers} ${callers === 1 ? 'caller' : 'callers'}`;
  const results = await measureRounds(
    {
      case: caseName,
      unit: 'records/s',
      better: 'higher',
      baseline: ONE_SYNC_EACH,
      rounds: options.quick ? 3 : 5,
      subjects: [
        {
          name: GROUP_COMMIT,
          measure: async () => {
            const round = await commitInGroups(path.join(folder, 'groups'), callers, durationMs);
            recordsPerSync.push(round.recordsPerSync);
            return round.recordsPerSecond;
          },
          ...(callers === BAR_CALLERS ? { bar: { atLeast: BAR_RATIO } } : {}),
        },
        { name: ONE_SYNC_EACH, measure: () => commitOneByOne(path.join(folder, 'singles'), callers, durationMs) },
      ],
    },
    options,
  );
  if (recordsPerSync.length === 0) return results;
  // The first one was the warm-up.
  const rounds = recordsPerSync.slice(1);
  const value = rounds.toSorted((one, other) => one - other)[Math.floor(rounds.length / 2)] ?? 0;
  return [
    ...results,
    {
      case: `${caseName}: records per fdatasync`,
      subject: GROUP_COMMIT,
      value,
      unit: 'records',
      better: 'higher',
      rounds,
    },
  ];
}

async function commitInGroups(
  file: string,
  callers: number,
  durationMs: number,
): Promise<{ recordsPerSecond: number; recordsPerSync: number }> {
  await rm(file, { force: true });
  const journal = await Journal.open({ path: file, syncMode: 'commit', onRecord: () => undefined });
  const seconds = await keepBusy(callers, durationMs, () => {
    journal.append(PAYLOAD);
    return journal.commit();
  });
  const { records, syncs } = journal.stats();
  await journal.close();
  let found = 0;
  const again = await Journal.open({ path: file, syncMode: 'commit', onRecord: () => found++ });
  await again.close();
  if (found !== records) throw new Error(`${found} of ${records} committed records were found again`);
  return { recordsPerSecond: records / seconds, recordsPerSync: records / syncs };
}

/** What a store does that syncs for each order: the callers queue for the file. */
async function commitOneByOne(file: string, callers: number, durationMs: number): Promise<number> {
  const handle = await nodeFileSystem.open(file, 'create');
  if (handle === undefined) throw new Error(`${file} was not created`);
  try {
    let records = 0;
    let last: Promise<void> = Promise.resolve();
    const seconds = await keepBusy(callers, durationMs, () => {
      last = last.then(async () => {
        await handle.write(PAYLOAD, records * PAYLOAD.length);
        await handle.datasync();
        records++;
      });
      return last;
    });
    const size = await handle.size();
    if (size !== records * PAYLOAD.length) throw new Error(`the file has ${size} bytes after ${records} records`);
    return records / seconds;
  } finally {
    await handle.close();
  }
}

/** Lets that many callers commit one record after the other for a while; returns the seconds that it took. */
async function keepBusy(callers: number, durationMs: number, commit: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  const caller = async () => {
    while (performance.now() - startMs < durationMs) await commit();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return (performance.now() - startMs) / MS_PER_S;
}

async function measureRecovery(folder: string, options: RunOptions): Promise<Result[]> {
  const file = path.join(folder, 'million');
  const journal = await Journal.open({ path: file, syncMode: 'commit', onRecord: () => undefined });
  for (let index = 0; index < RECORDS; index++) journal.append(PAYLOAD);
  await journal.close();
  return measureRounds(
    {
      case: `recovery of a journal of ${RECORDS.toLocaleString('en')} records`,
      unit: 'ms',
      better: 'lower',
      baseline: READING_ALONE,
      rounds: options.quick ? 3 : 5,
      subjects: [
        { name: 'Journal.open', measure: () => timed(() => recover(file)) },
        { name: READING_ALONE, measure: () => timed(() => readAlone(file)) },
      ],
    },
    options,
  );
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function recover(file: string): Promise<void> {
  let records = 0;
  const journal = await Journal.open({ path: file, syncMode: 'commit', onRecord: () => records++ });
  await journal.close();
  if (records !== RECORDS) throw new Error(`${records} of ${RECORDS} records were found`);
}

async function readAlone(file: string): Promise<void> {
  const handle = await open(file, 'r');
  const chunk = Buffer.allocUnsafe(READ_BYTES);
  while ((await handle.read(chunk, 0, chunk.length)).bytesRead > 0);
  await handle.close();
}
