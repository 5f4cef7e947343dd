// file-names.ts: the names that lead to a guarded file, and putting them right.
//
//   link (perhaps) ──► path ──► our file ◄── second name
//
//   lost      the path, or the link, names another file or none: it gets ours back, from the second name
//   stranger  what stood there instead: dropped if it holds only what ours begins with, else kept as `<name>.replaced-<n>`
//
// A name changes in one step, a rename, so that none is missing whenever a crash comes; and names are on disk, with their
// directory, when a method returns. Which file is ours is told by its identity, as the file system gives it.

import { basename, dirname, join } from 'node:path';
import { asidePath } from './atomic-file.js';
import { type FileStat, type FileSystem, type OpenFile, readFully } from './file-system.js';
import { asStorageError, StorageError, systemCode } from './storage-error.js';
import type { StorageLog } from './storage-log.js';

/** How the names were found: `returned` is put right, `gone` cannot be; `size` is the file's in bytes, 0 where it is gone. */
export interface NamesFound {
  readonly finding: 'same' | 'returned' | 'gone';
  readonly size: number;
}

const COMPARED_BYTES = 256 * 1024;

export class FileNames {
  /** What leads to the file: the path that was given, or what it is a symbolic link to. */
  readonly path: string;
  readonly #given: string;
  readonly #secondName: string;
  readonly #fileSystem: FileSystem;
  readonly #log: StorageLog;
  #hasWarned = false;

  /** @param path where `given` leads to, symbolic links followed */
  constructor(given: string, path: string, fileSystem: FileSystem, log: StorageLog) {
    this.path = path;
    this.#given = given;
    this.#secondName = secondNameOf(path);
    this.#fileSystem = fileSystem;
    this.#log = log;
  }

  /**
   * Before anything is read: a crash may have come before anybody saw what happened to the names. Returns whether the last
   * run has left its second name.
   */
  async putRightAfterCrash(): Promise<boolean> {
    const files = this.#fileSystem;
    const second = await files.stat(this.#secondName);
    const named = await files.stat(this.path);
    if (second !== undefined && named?.identity !== second.identity) {
      const aside = await files.stat(asidePath(this.path));
      if (aside?.identity === second.identity) {
        // A replacement was nearly done.
        await files.rename(asidePath(this.path), this.path);
        await files.syncDirectory(dirname(this.path));
      } else if (!(await this.#isLongerCopy(named, second))) await this.#putBack(second.identity);
    }
    await files.remove(asidePath(this.path));
    return second !== undefined;
  }

  /** While the file is in use: puts right what can be. */
  async putRight(identity: string): Promise<NamesFound> {
    const files = this.#fileSystem;
    const [named, second] = await Promise.all([files.stat(this.path), files.stat(this.#secondName)]);
    if (named?.identity === identity) {
      if (second?.identity !== identity) await this.#giveSecondName();
      const isLinkRestored = await this.#restoreLink(identity);
      return { finding: isLinkRestored ? 'returned' : 'same', size: named.size };
    }
    if (second?.identity !== identity) return { finding: 'gone', size: 0 };
    await this.#putBack(identity);
    await this.#restoreLink(identity);
    return { finding: 'returned', size: second.size };
  }

  /** The path names our file: its second name does as well then, where the file system can. Throws StorageError MOUNTED_FILE. */
  async secure(identity: string): Promise<void> {
    const second = await this.#fileSystem.stat(this.#secondName);
    if (second?.identity !== identity) await this.#giveSecondName();
  }

  /**
   * To the new file aside, on disk before the rename: else a crash could leave the new file and the old second name. Where
   * that fails no second name may be left at all: whichever of the files goes on, it could lead to the other one.
   */
  async moveSecondName(): Promise<void> {
    const files = this.#fileSystem;
    try {
      await this.#giveSecondNameTo(asidePath(this.path));
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

  /**
   * The path is ours to replace: what somebody else has put there is set aside, and said.
   *
   * @param ours undefined: there has been no file so far, and whatever is there may go
   * @returns the identity of what the path names now and may go; undefined: nothing
   */
  async clear(ours: OpenFile | undefined, identity: string): Promise<string | undefined> {
    const named = await this.#fileSystem.stat(this.path);
    if (ours === undefined || named?.identity === identity) return named?.identity;
    const keptAs = await this.#setAside(this.path, named, ours);
    this.#warnOfTouch(named, keptAs);
    return keptAs === undefined ? named?.identity : undefined;
  }

  /**
   * The second name becomes the first one, in one step: were it only removed, the file could be gone for good where somebody
   * took the first name away just before. A rename to a name of the same file does nothing, so the first one goes before.
   */
  async leaveOne(identity: string): Promise<void> {
    const files = this.#fileSystem;
    const { finding } = await this.putRight(identity);
    if (finding === 'gone') throw new Error('it was removed with its second name');
    const second = await files.stat(this.#secondName);
    if (second?.identity === identity) {
      await files.remove(this.path);
      await files.rename(this.#secondName, this.path);
    } else await files.remove(this.#secondName);
    await files.syncDirectory(dirname(this.path));
  }

  /** Our file gets its name back from the second one, whatever others put there meanwhile. */
  async #putBack(identity: string): Promise<void> {
    const files = this.#fileSystem;
    const temporary = await this.#linkAside(this.#secondName);
    for (let isBack = false; !isBack; ) {
      const named = await files.stat(this.path);
      const keptAs = await this.#setAside(this.path, named, this.#secondName);
      isBack = await files.renameOver(temporary, this.path, keptAs === undefined ? named?.identity : undefined);
      if (isBack) await files.syncDirectory(dirname(this.path));
      if ((isBack || keptAs !== undefined) && named?.identity !== identity) this.#warnOfTouch(named, keptAs);
    }
    // A rename to a name of the same file does nothing.
    await files.remove(temporary);
  }

  /** The symbolic link at the path that was given leads to the file again; false if it did all the time, or there is none. */
  async #restoreLink(identity: string): Promise<boolean> {
    if (this.#given === this.path) return false;
    const files = this.#fileSystem;
    const named = await files.stat(this.#given);
    if (named?.identity === identity) return false;
    const keptAs = await this.#setAside(this.#given, named, this.path);
    await files.remove(asidePath(this.#given));
    await files.symlink(this.path, asidePath(this.#given));
    const old = keptAs === undefined ? named?.identity : undefined;
    const isBack = await files.renameOver(asidePath(this.#given), this.#given, old);
    await files.syncDirectory(dirname(this.#given));
    this.#warn(`${this.#given} did not lead to ${this.path} any more while that was in use: it does again`, { keptAs });
    // Somebody was quicker, and what is there now is not lost either.
    if (!isBack) await this.#restoreLink(identity);
    return true;
  }

  /**
   * For the file that the path names. Where that does not work all goes on without it; but a file that is mounted by
   * itself cannot be replaced whole either.
   */
  async #giveSecondName(): Promise<void> {
    try {
      await this.#giveSecondNameTo(this.path);
      await this.#fileSystem.syncDirectory(dirname(this.path));
    } catch (error) {
      if (systemCode(error) === 'EXDEV') {
        const what = `${this.path} is mounted by itself: mount the directory that it lies in instead`;
        throw new StorageError('MOUNTED_FILE', what, { path: this.path, cause: error });
      }
      this.#warnOnce(error);
    }
  }

  /** Gives the file at `from` the second name as well, in place of what has it. */
  async #giveSecondNameTo(from: string): Promise<void> {
    const temporary = await this.#linkAside(from);
    await this.#fileSystem.rename(temporary, this.#secondName);
    // A rename to a name of the same file does nothing.
    await this.#fileSystem.remove(temporary);
  }

  /** Makes one more name of the file at `from`, to be renamed to where it is wanted. */
  async #linkAside(from: string): Promise<string> {
    const temporary = `${this.#secondName}.link`;
    await this.#fileSystem.remove(temporary);
    await this.#fileSystem.link(from, temporary);
    return temporary;
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
      try {
        await this.#fileSystem.rename(path, keptAs);
        return keptAs;
      } catch (error) {
        // It has gone by itself: whoever wants the path looks again, for it does not name that file any more.
        if (systemCode(error) === 'ENOENT') return undefined;
        throw error;
      }
    }
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
