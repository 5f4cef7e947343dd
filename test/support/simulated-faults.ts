// simulated-faults.ts: the real file system with chosen calls counted, held back, or made to fail.
//
// For tests about one fault at one moment; simulated-disk.ts is for all faults at all moments.

import { type FileStat, type FileSystem, nodeFileSystem, type OpenFile } from '../../src/storage/index.js';

type FileCall = 'write' | 'truncate' | 'datasync' | 'sync' | 'read';
type Call = FileCall | 'open' | 'stat' | 'link' | 'symlink' | 'rename' | 'remove' | 'createDirectory' | 'syncDirectory';

export class FaultyFileSystem implements FileSystem {
  /** Every call made, in order, as `write`, `datasync`, … */
  readonly calls: Call[] = [];
  /** Longest single read, in bytes. */
  readBytesMax = 0;
  readonly #failures = new Map<Call, { code: string; times: number; after: number }>();
  readonly #holds = new Map<Call, Promise<void>>();
  #isReached: () => boolean = () => false;

  /** After so many that go well, `times` calls fail with that code; a write has done half of its work by then. */
  fail(call: Call, code: string, times = 1, after = 0): void {
    this.#failures.set(call, { code, times, after });
  }

  heal(): void {
    this.#failures.clear();
  }

  /** Such calls do not begin before the returned function is called. */
  hold(call: Call): () => void {
    let release: () => void = () => undefined;
    this.#holds.set(call, new Promise((resolve) => (release = resolve)));
    return () => {
      this.#holds.delete(call);
      release();
    };
  }

  /** As if the process were killed there: from the call on that makes this true, none returns. */
  stopWhen(isReached: () => boolean): void {
    this.#isReached = isReached;
  }

  count(call: Call): number {
    return this.calls.filter((one) => one === call).length;
  }

  async open(path: string, mode: 'read' | 'update' | 'create'): Promise<OpenFile | undefined> {
    await this.pass('open');
    const file = await nodeFileSystem.open(path, mode);
    return file === undefined ? undefined : this.#wrap(file);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    await this.pass('stat');
    return nodeFileSystem.stat(path);
  }

  followLinks(path: string): Promise<string> {
    return nodeFileSystem.followLinks(path);
  }

  async link(path: string, name: string): Promise<void> {
    await this.pass('link');
    await nodeFileSystem.link(path, name);
  }

  async symlink(target: string, name: string): Promise<void> {
    await this.pass('symlink');
    await nodeFileSystem.symlink(target, name);
  }

  async createDirectory(path: string): Promise<void> {
    await this.pass('createDirectory');
    await nodeFileSystem.createDirectory(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.pass('rename');
    await nodeFileSystem.rename(from, to);
  }

  async renameOver(from: string, to: string, identity: string | undefined): Promise<boolean> {
    await this.pass('rename');
    return nodeFileSystem.renameOver(from, to, identity);
  }

  async remove(path: string): Promise<void> {
    await this.pass('remove');
    await nodeFileSystem.remove(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.pass('syncDirectory');
    await nodeFileSystem.syncDirectory(path);
  }

  /** Notes the call, waits if it is held, throws if it is to fail. */
  async pass(call: Call): Promise<void> {
    this.calls.push(call);
    if (this.#isReached()) await new Promise(() => undefined);
    await this.#holds.get(call);
    const failure = this.#failures.get(call);
    if (failure === undefined || failure.times === 0 || failure.after-- > 0) return;
    failure.times--;
    throw Object.assign(new Error(`${failure.code}: made to fail`), { code: failure.code });
  }

  #wrap(file: OpenFile): OpenFile {
    return {
      size: () => file.size(),
      identity: () => file.identity(),
      read: async (target, position) => {
        this.readBytesMax = Math.max(this.readBytesMax, target.length);
        await this.pass('read');
        return file.read(target, position);
      },
      write: async (bytes, position) => {
        try {
          await this.pass('write');
        } catch (error) {
          await file.write(bytes.subarray(0, bytes.length / 2), position);
          throw error;
        }
        return file.write(bytes, position);
      },
      truncate: async (size) => {
        await this.pass('truncate');
        await file.truncate(size);
      },
      datasync: async () => {
        await this.pass('datasync');
        await file.datasync();
      },
      sync: async () => {
        await this.pass('sync');
        await file.sync();
      },
      close: () => file.close(),
    };
  }
}
