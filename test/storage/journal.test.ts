// The journal on real files, with the real disk or with one fault at one moment.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { AssertionError } from '../../src/assert.js';
import { Journal, type JournalState, PAYLOAD_BYTES_MAX, StorageError } from '../../src/storage/index.js';
import { FaultyFileSystem } from '../support/simulated-faults.js';
import { SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';
import { openJournal, recordsOf, scratchDirectory } from './journal-helpers.js';

const bytesOf = (text: string) => Buffer.from(text);

test('what was committed is there again, in order, with numbers from 1', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const first = await openJournal(path);
  t.is(first.journal.append(bytesOf('tux')), 1);
  t.deepEqual(
    ['whale', '', 'fox'].map((text) => first.journal.append(bytesOf(text))),
    [2, 3, 4],
  );
  await first.journal.commit();
  await first.journal.close();

  const second = await openJournal(path);
  t.deepEqual(second.records, ['tux', 'whale', '', 'fox']);
  t.is(second.journal.append(bytesOf('python')), 5);
  await second.journal.close();
  t.deepEqual(await recordsOf(path), ['tux', 'whale', '', 'fox', 'python'], 'close() commits');
});

test('the bytes are copied: the caller may reuse them at once, shared memory too', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const { journal } = await openJournal(path);
  const shared = new Uint8Array(new SharedArrayBuffer(300)).fill(0x61);
  journal.append(shared.subarray(0, 3));
  shared.fill(0x62);
  journal.append(shared);
  shared.fill(0x63);
  await journal.close();
  t.deepEqual(await recordsOf(path), ['aaa', 'b'.repeat(300)]);
});

test('a record of the greatest length goes through, a longer one is our own mistake', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const { journal } = await openJournal(path);
  t.throws(() => journal.append(Buffer.alloc(PAYLOAD_BYTES_MAX + 1)), { instanceOf: AssertionError });
  journal.append(Buffer.alloc(PAYLOAD_BYTES_MAX, 'x'));
  journal.append(bytesOf('tux'));
  await journal.close();
  t.deepEqual(
    (await recordsOf(path)).map((text) => text.length),
    [PAYLOAD_BYTES_MAX, 3],
  );
});

test('one write and one sync serve all that arrived while the ones before were running', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const fileSystem = new FaultyFileSystem();
  const { journal } = await openJournal(path, { fileSystem });
  fileSystem.calls.length = 0;
  const release = fileSystem.hold('datasync');
  journal.append(bytesOf('first'));
  const first = journal.commit();
  await untilCalled(fileSystem, 'datasync');
  const others = Array.from({ length: 100 }, (_, index) => {
    journal.append(bytesOf(`other ${index}`));
    return journal.commit();
  });
  t.deepEqual(
    fileSystem.calls,
    ['write', 'write', 'datasync'],
    'nothing is written during a sync, blocks ahead before',
  );
  release();
  await Promise.all([first, ...others]);
  t.deepEqual(fileSystem.calls, ['write', 'write', 'datasync', 'write', 'datasync']);
  t.like(journal.stats(), { records: 101, groups: 2, syncs: 2 });
  await journal.close();
});

test('commit() does not resolve before the sync', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const fileSystem = new FaultyFileSystem();
  const { journal } = await openJournal(path, { fileSystem });
  const release = fileSystem.hold('datasync');
  let isCommitted = false;
  journal.append(bytesOf('tux'));
  const committed = journal.commit().then(() => (isCommitted = true));
  await untilCalled(fileSystem, 'datasync');
  t.false(isCommitted);
  // One who appended nothing of his own waits as well: all appended so far is all.
  const other = journal.commit().then(() => t.true(isCommitted));
  release();
  await Promise.all([committed, other]);
  await journal.commit();
  await journal.close();
});

test('a failed write is taken back, and selling goes on when writing works again', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const fileSystem = new FaultyFileSystem();
  const world = new SimulatedWorld(1);
  const states: JournalState[] = [];
  const { journal } = await openJournal(path, {
    fileSystem,
    clock: new SimulatedProcess(world).clock,
    onState: (state) => states.push(state),
  });
  journal.append(bytesOf('tux'));
  await journal.commit();
  const end = journal.bytes;

  fileSystem.fail('write', 'ENOSPC', 2);
  t.is(journal.append(bytesOf('lost, first')), 2);
  const failed = journal.commit();
  await untilCalled(fileSystem, 'truncate');
  await t.throwsAsync(failed, { instanceOf: StorageError, code: 'WRITE_FAILED', message: /writing failed \(ENOSPC\)/ });
  t.is(journal.state, 'full');
  t.is((await stat(path)).size, end);
  await t.throwsAsync(journal.commit(), { code: 'WRITE_FAILED' });
  t.throws(() => journal.append(bytesOf('too early')), { code: 'WRITE_FAILED' });

  // The first probe fails as well, the second does not.
  await untilOpen(world, journal);
  t.is(fileSystem.count('write'), 6, 'the header, tux, blocks ahead, what was lost, two probes');
  t.deepEqual(states, ['full', 'open']);
  t.is((await stat(path)).size, end);
  t.is(journal.append(bytesOf('whale')), 2, 'numbers go on from what is in the journal');
  await journal.commit();
  await journal.close();
  t.deepEqual(await recordsOf(path), ['tux', 'whale']);
});

test('what was appended but not yet committed when a write fails is gone too, and the next commit says so', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const fileSystem = new FaultyFileSystem();
  const world = new SimulatedWorld(1);
  const { journal } = await openJournal(path, { fileSystem, clock: new SimulatedProcess(world).clock });
  fileSystem.calls.length = 0;
  const release = fileSystem.hold('write');
  fileSystem.fail('write', 'EIO');
  journal.append(bytesOf('lost'));
  const failed = journal.commit();
  await untilCalled(fileSystem, 'write');
  journal.append(bytesOf('lost as well'));
  release();
  await t.throwsAsync(failed, { code: 'WRITE_FAILED' });
  await untilOpen(world, journal);
  journal.append(bytesOf('behind it'));
  await t.throwsAsync(journal.commit(), { code: 'WRITE_FAILED' });
  t.is(journal.append(bytesOf('tux')), 1);
  await journal.commit();
  await journal.close();
  t.deepEqual(await recordsOf(path), ['tux']);
});

for (const { name, fail } of [
  { name: 'a failed sync', fail: (files: FaultyFileSystem) => files.fail('datasync', 'EIO') },
  {
    name: 'a failed write that cannot be taken back',
    fail: (files: FaultyFileSystem) => {
      files.fail('write', 'ENOSPC');
      files.fail('truncate', 'EIO');
    },
  },
]) {
  test(`${name} is the end: only a new start reads what is on disk`, async (t) => {
    const path = join(await scratchDirectory(t), 'journal');
    const fileSystem = new FaultyFileSystem();
    const { journal } = await openJournal(path, { fileSystem });
    journal.append(bytesOf('tux'));
    await journal.commit();
    fail(fileSystem);
    journal.append(bytesOf('unknown'));
    await t.throwsAsync(journal.commit(), { instanceOf: StorageError, code: 'SYNC_FAILED' });
    t.is(journal.state, 'failed');
    fileSystem.heal();
    t.throws(() => journal.append(bytesOf('whale')), { code: 'SYNC_FAILED' });
    await t.throwsAsync(journal.commit(), { code: 'SYNC_FAILED' });
    await t.throwsAsync(journal.restart([]), { code: 'SYNC_FAILED' });
    await t.throwsAsync(journal.close(), { code: 'SYNC_FAILED' });
    t.is((await recordsOf(path))[0], 'tux');
  });
}

test('with a period, commit() waits for the write alone, and a sync follows', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const fileSystem = new FaultyFileSystem();
  const world = new SimulatedWorld(1);
  const { journal } = await openJournal(path, {
    fileSystem,
    clock: new SimulatedProcess(world).clock,
    syncMode: { periodMs: 50 },
  });
  fileSystem.calls.length = 0;
  for (const text of ['tux', 'whale', 'fox']) {
    journal.append(bytesOf(text));
    await journal.commit();
  }
  t.deepEqual(fileSystem.calls, ['write', 'write', 'write']);
  await world.run(world.sleep(50));
  await untilCalled(fileSystem, 'datasync');
  journal.append(bytesOf('python'));
  await journal.commit();
  t.is(fileSystem.count('datasync'), 1);
  await journal.close();
  t.is(fileSystem.count('datasync'), 2, 'close() syncs the rest');
  t.deepEqual(await recordsOf(path), ['tux', 'whale', 'fox', 'python']);
});

test('with a period too, a journal that a write failed on opens again', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const fileSystem = new FaultyFileSystem();
  const world = new SimulatedWorld(1);
  const clock = new SimulatedProcess(world).clock;
  const { journal } = await openJournal(path, { fileSystem, clock, syncMode: { periodMs: 50 } });
  journal.append(bytesOf('tux'));
  await journal.commit();
  fileSystem.fail('write', 'ENOSPC');
  journal.append(bytesOf('lost'));
  await t.throwsAsync(journal.commit(), { code: 'WRITE_FAILED' });
  await world.run(world.sleep(1000));
  await untilOpen(world, journal);
  journal.append(bytesOf('whale'));
  await journal.close();
  t.deepEqual(await recordsOf(path), ['tux', 'whale']);
});

test('restart() puts a new journal in place of the old one; what is appended meanwhile goes to the new', async (t) => {
  const directory = await scratchDirectory(t);
  const path = join(directory, 'journal');
  const { journal } = await openJournal(path);
  for (let count = 0; count < 1000; count++) journal.append(bytesOf('old'));
  await journal.commit();
  journal.append(bytesOf('old, not committed'));
  const restarted = journal.restart([bytesOf('summary'), bytesOf('of all that')]);
  t.is(journal.append(bytesOf('new')), 1002);
  const committed = journal.commit();
  await Promise.all([restarted, committed]);
  t.true(journal.bytes < 200);
  await journal.close();
  const again = await openJournal(path);
  t.deepEqual(again.records, ['*summary', '*of all that', 'new']);
  t.is(again.journal.append(bytesOf('newer')), 1003);
  await again.journal.close();
  t.deepEqual(await readdir(directory), ['journal']);
});

test('a restart that finds no room leaves the old journal at work', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const fileSystem = new FaultyFileSystem();
  const { journal } = await openJournal(path, { fileSystem });
  journal.append(bytesOf('tux'));
  await journal.commit();
  fileSystem.fail('write', 'ENOSPC');
  const restarted = journal.restart([bytesOf('summary')]);
  journal.append(bytesOf('whale'));
  const committed = journal.commit();
  await t.throwsAsync(restarted, { code: 'WRITE_FAILED', message: /ENOSPC/ });
  await committed;
  t.is(journal.state, 'open');
  await journal.close();
  t.deepEqual(await recordsOf(path), ['tux', 'whale']);
});

test('a restart whose name may not be on disk ends the journal', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const fileSystem = new FaultyFileSystem();
  const { journal } = await openJournal(path, { fileSystem });
  fileSystem.fail('syncDirectory', 'EIO', 1, 1);
  await t.throwsAsync(journal.restart([bytesOf('summary')]), { code: 'SYNC_FAILED' });
  t.is(journal.state, 'failed');
  await t.throwsAsync(journal.close(), { code: 'SYNC_FAILED' });
});

test('a slow sync is worth a warning', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const fileSystem = new FaultyFileSystem();
  const world = new SimulatedWorld(1);
  const lines: string[] = [];
  const log = { info: () => undefined, warn: (message: string) => lines.push(message), error: () => undefined };
  const { journal } = await openJournal(path, { fileSystem, clock: new SimulatedProcess(world).clock, log });
  const release = fileSystem.hold('datasync');
  journal.append(bytesOf('tux'));
  const committed = journal.commit();
  await untilCalled(fileSystem, 'datasync');
  world.nowMs += 1500;
  release();
  await committed;
  t.deepEqual(lines, ['a sync to disk was slow']);
  t.is(journal.stats().slowSyncs, 1);
  t.is(Math.round(journal.stats().syncMs.max), 1500);
  await journal.close();
});

for (const { name, path, code, message } of [
  { name: 'a missing directory', path: 'missing/journal', code: 'WRITE_FAILED', message: /ENOENT/ },
  { name: 'a directory in its place', path: '.', code: 'INACCESSIBLE', message: /EISDIR/ },
]) {
  test(`open(): ${name} is a clear error`, async (t) => {
    const directory = await scratchDirectory(t);
    await t.throwsAsync(openJournal(join(directory, path)), { instanceOf: StorageError, code, message });
  });
}

test('open(): a failed repair is an error, and so is what onRecord throws', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const { journal } = await openJournal(path);
  journal.append(bytesOf('tux'));
  await journal.close();
  const fileSystem = new FaultyFileSystem();
  fileSystem.fail('datasync', 'EIO');
  await t.throwsAsync(openJournal(path, { fileSystem }), { code: 'INACCESSIBLE' });
  const onRecord = () => {
    throw new RangeError('no such toy');
  };
  await t.throwsAsync(Journal.open({ path, syncMode: 'commit', onRecord }), { instanceOf: RangeError });
});

test('a long journal is read in pieces: memory is bounded', async (t) => {
  const path = join(await scratchDirectory(t), 'journal');
  const { journal } = await openJournal(path);
  const payload = Buffer.alloc(50, 'x');
  const count = 200_000;
  for (let index = 0; index < count; index++) journal.append(payload);
  await journal.close();
  const fileSystem = new FaultyFileSystem();
  let records = 0;
  const again = await Journal.open({ path, fileSystem, syncMode: 'commit', onRecord: () => records++ });
  await again.close();
  t.is(records, count);
  t.true((await readFile(path)).length > 10_000_000);
  t.true(fileSystem.readBytesMax <= 1024 * 1024, `one read of ${fileSystem.readBytesMax} bytes`);
});

/** Lets the event loop turn until such a call has been made. */
async function untilCalled(fileSystem: FaultyFileSystem, call: 'write' | 'truncate' | 'datasync'): Promise<void> {
  while (fileSystem.count(call) === 0) await turn();
}

/** Lets the journal's time pass, and the real file system do its work, until a probe has gone well. */
async function untilOpen(world: SimulatedWorld, journal: Journal): Promise<void> {
  while (journal.state === 'full') {
    await world.run(world.sleep(100));
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
