import nodeFs from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import test from 'ava';
import { nodeFileSystem } from '../../src/storage/file-system.js';
import { scratchDirectory } from './journal-helpers.js';

test('renameOver(): only over the file that is named, or over nothing where nothing is', async (t) => {
  const directory = await scratchDirectory(t);
  const [from, to] = [join(directory, 'from'), join(directory, 'to')];
  await writeFile(from, 'new');
  t.false(await nodeFileSystem.renameOver(from, to, 'another'), 'nothing is there');
  await writeFile(to, 'old');
  const { identity } = (await nodeFileSystem.stat(to))!;
  t.false(await nodeFileSystem.renameOver(from, to, undefined), 'something is there');
  t.false(await nodeFileSystem.renameOver(from, to, `${identity}0`));
  t.is(await readFile(to, 'utf8'), 'old');
  t.true(await nodeFileSystem.renameOver(from, to, identity));
  t.is(await readFile(to, 'utf8'), 'new');
  t.true(await nodeFileSystem.renameOver(to, from, undefined));
  await t.throwsAsync(nodeFileSystem.renameOver(to, from, (await nodeFileSystem.stat(from))!.identity), {
    code: 'ENOENT',
  });
});

test.serial(
  'datasync(): on the calling thread where the sync before was quick, on another where it was slow',
  async (t) => {
    const syncHere = nodeFs.fdatasyncSync;
    t.teardown(() => replaceSyncHere(syncHere));
    let here = 0;
    let stallMs = 0;
    replaceSyncHere((descriptor) => {
      here++;
      syncHere(descriptor);
      const until = performance.now() + stallMs;
      while (performance.now() < until);
    });
    const path = join(await scratchDirectory(t), 'file');
    const file = (await nodeFileSystem.open(path, 'create'))!;
    t.teardown(() => file.close());
    const syncsHere = async (): Promise<number> => {
      const before = here;
      await file.datasync();
      return here - before;
    };

    t.is(await syncsHere(), 0, 'nothing is known of the disk');
    // A machine with much to do may need several until one is quick.
    await until(async () => (await syncsHere()) === 1);
    stallMs = 20;
    await until(async () => (await syncsHere()) === 1);
    t.is(await syncsHere(), 0, 'a disk that stalls holds its caller up once');
    stallMs = 0;
    await until(async () => (await syncsHere()) === 1);
  },
);

test.serial('datasync(): a failure rejects, wherever it is made', async (t) => {
  const syncHere = nodeFs.fdatasyncSync;
  t.teardown(() => replaceSyncHere(syncHere));
  let isFailing = false;
  replaceSyncHere((descriptor) => {
    if (isFailing) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
    syncHere(descriptor);
  });
  const path = join(await scratchDirectory(t), 'file');
  await (await open(path, 'w')).close();
  const file = (await nodeFileSystem.open(path, 'update'))!;
  t.teardown(() => file.close());
  isFailing = true;
  const failure = async (): Promise<unknown> =>
    file.datasync().then(
      () => undefined,
      (error: unknown) => error,
    );
  await until(async () => (await failure()) !== undefined);
  t.like(await failure(), { code: 'EIO' }, 'what failed was quick: the next is made here too');
});

function replaceSyncHere(sync: typeof nodeFs.fdatasyncSync): void {
  nodeFs.fdatasyncSync = sync;
  syncBuiltinESMExports();
}

/** Tries again, a thousand times at most. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) if (await isSo()) return;
  throw new Error('it never came about');
}
