// guarded-file.ts: a file that a service relies on while it runs, in a world of editors, log rotators and `rm`.
//
//   orders.csv  ──┐
//                 ├─► the file        rm, mv, sed -i, an editor or logrotate take the first name away, or give it to
//   .orders.csv ──┘                   another file; the second name keeps the content, whoever is killed then
//
// The second name (a hard link) is made at the start and removed at the end of a clean stop. So it also says at a start
// how the last run ended. Where the path names another file, our file gets its name back; the other one is dropped
// if it holds nothing that ours does not, else it is kept beside as `<name>.replaced-<n>`.
//
//   clean stop       path ─► file                        anybody may edit, replace or restore it now
//   crash            path ─► file ◄─ second name         the next start puts the path right before anything is read
//   replacement      write aside, second name, rename    a crash in between: the start finishes the rename
//
// A symbolic link at the path is followed once, at the start; its target is what has two names and is replaced. File systems
// without hard links have no second name: there a start counts as one after a clean stop.

import { basename, dirname, join } from 'node:path';
import { asidePath, createInPlace } from './atomic-file.js';
import { copyBytes, type FileStat, type FileSystem, type OpenFile, readFully } from './file-system.js';
import { asStorageError, StorageError, systemCode } from './storage-error.js';
import type { StorageLog } from './storage-log.js';

/**
 * How a file was found:
 *
 * - `same`: the path names it, and it has all that was written.
 * - `returned`: the path named another file, or none; now it names ours again. It has all that was written.
 * - `cut`: the path names it, and somebody cut it short.
 * - `gone`: neither name leads to it any more; its content is lost when the service ends, unless writeBack() is called.
 */
export type FileFinding = 'same' | 'returned' | 'cut' | 'gone';

export interface FileCheck {
  readonly finding: FileFinding;
  /** Bytes of the file; 0 where it is gone. */
  readonly size: number;
}

export interface GuardedFileOptions {
  /** The file need not exist yet; its directory must. */
  readonly path: string;
  readonly fileSystem: FileSystem;
  /** Told of every name that was put right. */
  readonly log: StorageLog;
  /** `read` for a file that is only ever replaced; else it is open for updates. */
  readonly mode?: 'read' | 'update';
}

const COMPARED_BYTES = 256 * 1024;

export class GuardedFile {
  /** Where the file is: the path that was given, or what it is a symbolic link to. */
  readonly path: string;
  readonly #given: string;
  readonly #secondName: string;
  readonly #fileSystem: FileSystem;
  readonly #log: StorageLog;
  readonly #mode: 'read' | 'update';
  #endedUncleanly = false;
  #file: OpenFile | undefined;
  #identity = '';
  #hasWarned = false;
  /** What is being done with the names: one thing after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor({ path, fileSystem, log, mode }: GuardedFileOptions, target: string) {
    this.path = target;
    this.#given = path;
    this.#secondName = secondNameOf(target);
    this.#fileSystem = fileSystem;
    this.#log = log;
    this.#mode = mode ?? 'update';
  }

  /**
   * Puts right what happened to the names after a crash, opens the file if there is one, and gives it its second name.
   *
   * @throws StorageError INACCESSIBLE
   */
  static async open(options: GuardedFileOptions): Promise<GuardedFile> {
    const { path, fileSystem } = options;
    let guarded: GuardedFile | undefined;
    try {
      guarded = new GuardedFile(options, await fileSystem.followLinks(path));
      await guarded.#putRightAfterCrash();
      await guarded.#openFile();
      return guarded;
    } catch (error) {
      await guarded?.close(false).catch(() => undefined);
      throw asStorageError(error, 'INACCESSIBLE', 'opening', path);
    }
  }

  /** The last run did not end with a clean stop. */
  get endedUncleanly(): boolean {
    return this.#endedUncleanly;
  }

  /** The open file; undefined while there is none. A replacement changes it. */
  get file(): OpenFile | undefined {
    return this.#file;
  }

  /**
   * Puts a new file in the place of this one, or creates it: whole or not at all. `file` is the new one then.
   *
   * @throws StorageError as replaceFile does
   */
  replace(fill: (file: OpenFile) => Promise<void>): Promise<void> {
    return this.#afterOthers(async () => {
      const file = await createInPlace(this.path, this.#fileSystem, fill, async () => {
        await this.#moveSecondName();
        // The last moment: what somebody has put here meanwhile would go without a word.
        await this.#sayIfTouched();
      });
      // It has no name any more: how its closing ends is nobody's concern.
      await this.#file?.close().catch(() => undefined);
      this.#file = file;
      this.#identity = await file.identity();
    });
  }

  /**
   * Compares what the path names with the file, and gives the file its name back where that is another one.
   *
   * @param written how many bytes the file has if nobody else has touched it; it may have more
   * @throws StorageError INACCESSIBLE: it cannot be looked at, or not be put right
   */
  check(written: number): Promise<FileCheck> {
    return this.#afterOthers(async () => {
      try {
        return await this.#check(written);
      } catch (error) {
        throw asStorageError(error, 'INACCESSIBLE', 'looking after its name', this.path);
      }
    });
  }

  /**
   * Writes the content of the open file to a new one under the old name, in a new directory if need be.
   *
   * @param size how much of it
   * @throws StorageError as replaceFile does
   */
  async writeBack(size: number): Promise<void> {
    const from = this.#file!;
    await this.#fileSystem.createDirectory(dirname(this.path));
    const named = await this.#fileSystem.stat(this.path);
    await this.#setAside(this.path, named, from);
    await this.replace((file) => copyBytes(from, 0, size, file, 0));
  }

  /**
   * Closes the file, once. After a clean stop it has one name, and the world may touch it.
   *
   * @throws StorageError INACCESSIBLE: its names cannot be put right; the next start sees that this one did not end cleanly
   */
  close(isClean: boolean): Promise<void> {
    this.#closed ??= this.#close(isClean);
    return this.#closed;
  }

  async #close(isClean: boolean): Promise<void> {
    await this.#last;
    try {
      if (isClean && this.#file !== undefined) await this.#leaveOneName();
    } catch (error) {
      throw asStorageError(error, 'INACCESSIBLE', 'removing its second name', this.path);
    } finally {
      await this.#file?.close();
    }
  }

  /**
   * The second name becomes the first one, in one step: were it only removed, the file could be gone for good where somebody
   * took the first name away just before. A rename to a name of the same file does nothing, so the first one goes before.
   */
  async #leaveOneName(): Promise<void> {
    const files = this.#fileSystem;
    const { finding } = await this.#check(0);
    if (finding === 'gone') throw new Error('it was removed with its second name');
    const second = await files.stat(this.#secondName);
    if (second?.identity === this.#identity) {
      await files.remove(this.path);
      await files.rename(this.#secondName, this.path);
    } else await files.remove(this.#secondName);
    await files.syncDirectory(dirname(this.path));
  }

  async #openFile(): Promise<void> {
    this.#file = await this.#fileSystem.open(this.path, this.#mode);
    if (this.#file === undefined) return;
    this.#identity = await this.#file.identity();
    const second = await this.#fileSystem.stat(this.#secondName);
    if (second?.identity !== this.#identity) await this.#giveSecondName();
  }

  /** Before anything is read: the crash may have come before anybody saw what happened to the names. */
  async #putRightAfterCrash(): Promise<void> {
    const files = this.#fileSystem;
    const second = await files.stat(this.#secondName);
    this.#endedUncleanly = second !== undefined;
    const named = await files.stat(this.path);
    if (second !== undefined && named?.identity !== second.identity) {
      const aside = await files.stat(asidePath(this.path));
      if (aside?.identity === second.identity) {
        // A replacement was nearly done.
        await files.rename(asidePath(this.path), this.path);
        await files.syncDirectory(dirname(this.path));
      } else if (!(await this.#isLongerCopy(named, second))) await this.#putNameBack(named);
    }
    await files.remove(asidePath(this.path));
  }

  /**
   * Whether what the path names has all that ours has, and more behind it. So it is where somebody copied both names of a
   * running store, one after the other, and put the copies back as two files. Nobody knows whether it is on disk.
   */
  async #isLongerCopy(named: FileStat | undefined, ours: FileStat): Promise<boolean> {
    if (!named?.isFile || named.size <= ours.size) return false;
    if (!(await this.#isBeginningOf(this.#secondName, this.path))) return false;
    const file = await this.#fileSystem.open(this.path, 'read');
    await file?.datasync();
    await file?.close();
    return true;
  }

  async #check(written: number): Promise<FileCheck> {
    const files = this.#fileSystem;
    const [named, second] = await Promise.all([files.stat(this.path), files.stat(this.#secondName)]);
    if (named?.identity === this.#identity) {
      if (second?.identity !== this.#identity) await this.#giveSecondName();
      const isLinkRestored = this.#given !== this.path && (await this.#restoreLink());
      if (named.size < written) return { finding: 'cut', size: named.size };
      return { finding: isLinkRestored ? 'returned' : 'same', size: named.size };
    }
    if (second?.identity !== this.#identity) return { finding: 'gone', size: 0 };
    await this.#putNameBack(named);
    if (this.#given !== this.path) await this.#restoreLink();
    return { finding: second.size < written ? 'cut' : 'returned', size: second.size };
  }

  /** Our file gets its name back from the second one. */
  async #putNameBack(named: FileStat | undefined): Promise<void> {
    const keptAs = await this.#setAside(this.path, named, this.#secondName);
    await this.#place(this.#secondName, this.path);
    await this.#fileSystem.syncDirectory(dirname(this.path));
    this.#warnOfTouch(named, keptAs);
  }

  /** The symbolic link at the path that was given leads to the file again; false if it did all the time. */
  async #restoreLink(): Promise<boolean> {
    const files = this.#fileSystem;
    const named = await files.stat(this.#given);
    if (named?.identity === this.#identity) return false;
    const keptAs = await this.#setAside(this.#given, named, this.path);
    await files.remove(asidePath(this.#given));
    await files.symlink(this.path, asidePath(this.#given));
    await files.rename(asidePath(this.#given), this.#given);
    await files.syncDirectory(dirname(this.#given));
    this.#warn(`${this.#given} did not lead to ${this.path} any more while that was in use: it does again`, { keptAs });
    return true;
  }

  /**
   * Keeps what stands at a path under another name, and returns that; unless it holds nothing but the beginning of what
   * ours has.
   */
  async #setAside(path: string, named: FileStat | undefined, ours: string | OpenFile): Promise<string | undefined> {
    if (named === undefined || (named.isFile && (await this.#isBeginningOf(path, ours)))) return undefined;
    for (let count = 1; ; count++) {
      const keptAs = `${path}.replaced-${count}`;
      if ((await this.#fileSystem.stat(keptAs)) !== undefined) continue;
      await this.#fileSystem.rename(path, keptAs);
      return keptAs;
    }
  }

  /**
   * For the file that the path names. Where that does not work all goes on without it; but a file that is mounted by
   * itself cannot be replaced whole either.
   */
  async #giveSecondName(): Promise<void> {
    try {
      await this.#place(this.path, this.#secondName);
      await this.#fileSystem.syncDirectory(dirname(this.path));
    } catch (error) {
      if (systemCode(error) === 'EXDEV') {
        const what = `${this.path} is mounted by itself: mount the directory that it lies in instead`;
        throw new StorageError('MOUNTED_FILE', what, { path: this.path, cause: error });
      }
      this.#warnOnce(error);
    }
  }

  /**
   * To the new file aside, on disk before the rename: else a crash could leave the new file and the old second name. Where
   * that fails no second name may be left at all: whichever of the files goes on, it could lead to the other one.
   */
  async #moveSecondName(): Promise<void> {
    const files = this.#fileSystem;
    try {
      await this.#place(asidePath(this.path), this.#secondName);
      await files.syncDirectory(dirname(this.path));
    } catch (error) {
      this.#warnOnce(error);
      try {
        await files.remove(this.#secondName);
        await files.syncDirectory(dirname(this.path));
      } catch (cause) {
        throw asStorageError(cause, 'SYNC_FAILED', 'removing a second name', this.#secondName);
      }
    }
  }

  async #sayIfTouched(): Promise<void> {
    if (this.#file === undefined) return;
    const named = await this.#fileSystem.stat(this.path);
    if (named?.identity !== this.#identity)
      this.#warnOfTouch(named, await this.#setAside(this.path, named, this.#file));
  }

  #warnOfTouch(named: FileStat | undefined, keptAs: string | undefined): void {
    const what = named === undefined ? 'removed or renamed' : 'replaced by another file';
    this.#warn(`${this.path} was ${what} while it was in use: the file of this service has its name back`, { keptAs });
  }

  #warnOnce(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const what = `${this.path} cannot have a second name (a hard link) beside it`;
    this.#warn(`${what}: do not rename, replace or remove it while the store runs`, { error });
  }

  #warn(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#log.warn(message, { path: this.path, ...fields });
  }

  /** Gives the file at `from` the name `to` as well, in place of what has it. */
  async #place(from: string, to: string): Promise<void> {
    const files = this.#fileSystem;
    const temporary = `${this.#secondName}.link`;
    await files.remove(temporary);
    await files.link(from, temporary);
    await files.rename(temporary, to);
    // A rename to a name of the same file does nothing.
    await files.remove(temporary);
  }

  /** Whether all bytes of the file at `path` stand at the beginning of the other one. */
  async #isBeginningOf(path: string, other: string | OpenFile): Promise<boolean> {
    const files = this.#fileSystem;
    const part = await files.open(path, 'read');
    const whole = typeof other === 'string' ? await files.open(other, 'read') : other;
    try {
      return part !== undefined && whole !== undefined && (await isBeginning(part, whole));
    } finally {
      await part?.close();
      if (typeof other === 'string') await whole?.close();
    }
  }

  #afterOthers<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

export function secondNameOf(path: string): string {
  return join(dirname(path), `.${basename(path)}`);
}

async function isBeginning(part: OpenFile, whole: OpenFile): Promise<boolean> {
  const one = Buffer.allocUnsafe(COMPARED_BYTES);
  const other = Buffer.allocUnsafe(COMPARED_BYTES);
  for (let position = 0; ; ) {
    const length = await readFully(part, one, position);
    if (length === 0) return true;
    if ((await readFully(whole, other.subarray(0, length), position)) < length) return false;
    if (!one.subarray(0, length).equals(other.subarray(0, length))) return false;
    position += length;
  }
}
