import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { GroupCommit, type SyncedFile } from './group-commit.js';

/** A disk whose syncs end when the test says so. */
class SlowDisk implements SyncedFile {
  readonly #appended: string[] = [];
  onDisk: readonly string[] = [];
  syncs = 0;
  #end: { resolve(): void; reject(error: Error): void } | undefined;

  append(record: string): void {
    this.#appended.push(record);
  }

  sync(): Promise<void> {
    if (this.#end !== undefined) throw new Error('two syncs at a time');
    this.syncs++;
    const group = [...this.#appended];
    return new Promise((resolve, reject) => {
      this.#end = {
        reject,
        resolve: () => {
          this.onDisk = group;
          resolve();
        },
      };
    });
  }

  /** Ends the sync that is under way, and lets everybody act on it. */
  async end(error?: Error): Promise<void> {
    const end = this.#end;
    this.#end = undefined;
    if (error === undefined) end?.resolve();
    else end?.reject(error);
    await turn();
  }
}

/** Commits, and writes down what was on disk when the commit was told to be. */
function commit(group: GroupCommit, disk: SlowDisk, record: string, told: Record<string, boolean | string>): void {
  group.commit(record).then(
    () => {
      told[record] = disk.onDisk.includes(record);
    },
    (error: Error) => {
      told[record] = error.message;
    },
  );
}

test('a commit is told when its record is on disk, and not before', async (t) => {
  const disk = new SlowDisk();
  const group = new GroupCommit(disk);
  const told: Record<string, boolean | string> = {};
  commit(group, disk, 'a', told);
  await turn();
  commit(group, disk, 'b', told);
  commit(group, disk, 'c', told);
  t.deepEqual(told, {});
  await disk.end();
  t.deepEqual(told, { a: true });
  await disk.end();
  t.deepEqual(told, { a: true, b: true, c: true });
});

test('those who come while a sync runs share the next one', async (t) => {
  const disk = new SlowDisk();
  const group = new GroupCommit(disk);
  const told: Record<string, boolean | string> = {};
  commit(group, disk, 'first', told);
  await turn();
  for (let index = 0; index < 100; index++) commit(group, disk, `record ${index}`, told);
  await disk.end();
  await disk.end();
  t.is(disk.syncs, 2);
  t.is(Object.values(told).filter((isOnDisk) => isOnDisk === true).length, 101);
});

test('after a sync that failed nothing is confirmed any more: the next one may succeed without what this one lost', async (t) => {
  const disk = new SlowDisk();
  const group = new GroupCommit(disk);
  const told: Record<string, boolean | string> = {};
  commit(group, disk, 'a', told);
  await turn();
  commit(group, disk, 'b', told);
  await disk.end(new Error('EIO'));
  commit(group, disk, 'c', told);
  await disk.end();
  await disk.end();
  t.deepEqual(told, { a: 'EIO', b: 'EIO', c: 'EIO' });
});
