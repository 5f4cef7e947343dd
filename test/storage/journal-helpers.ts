// journal-helpers.ts: verbs for the tests of the journal, on real files in a directory that goes away afterwards.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Journal, type JournalOptions } from '../../src/storage/index.js';

/** A new directory, removed when the test is over. */
export async function scratchDirectory(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'toystore-storage-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Opens the journal and collects what it holds, as text; opening records with a leading `*`. */
export async function openJournal(
  path: string,
  options: Partial<JournalOptions> = {},
): Promise<{ journal: Journal; records: string[] }> {
  const records: string[] = [];
  const journal = await Journal.open({
    path,
    syncMode: 'commit',
    onRecord: (payload, sequence) => records.push(`${sequence === 0 ? '*' : ''}${Buffer.from(payload).toString()}`),
    ...options,
  });
  return { journal, records };
}

/** What the journal at `path` holds. */
export async function recordsOf(path: string): Promise<string[]> {
  const { journal, records } = await openJournal(path);
  await journal.close();
  return records;
}

/** Writes a journal with one commit for each group of texts; returns where each record begins, and the end. */
export async function writeJournal(path: string, groups: readonly (readonly string[])[]): Promise<number[]> {
  const { journal } = await openJournal(path);
  const offsets: number[] = [];
  for (const group of groups) {
    let offset = journal.bytes;
    for (const text of group) {
      offsets.push(offset);
      journal.append(Buffer.from(text));
      offset += Math.ceil((16 + Buffer.byteLength(text)) / 8) * 8;
    }
    await journal.commit();
  }
  offsets.push(journal.bytes);
  await journal.close();
  return offsets;
}
