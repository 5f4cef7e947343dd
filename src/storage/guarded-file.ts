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
// without hard links have no second name: there a start counts as one after a clean stop. How names are put right is in
// file-names.ts.

import { dirname } from 'node:path';
import { createInPlace } from './atomic-file.js';
import { FileNames } from './file-names.js';
import { copyBytes, type FileSystem, type OpenFile } from './file-system.js';
import { asStorageError } from './storage-error.js';
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

interface GuardedFileOptions {
  /** The file need not exist yet; its directory must. */
  readonly path: string;
  readonly fileSystem: FileSystem;
  /** Told of every name that was put right. */
  readonly log: StorageLog;
  /** `read` for a file that is only ever replaced; else it is open for updates. */
  readonly mode?: 'read' | 'update';
}

export class GuardedFile {
  readonly #names: FileNames;
  readonly #fileSystem: FileSystem;
  readonly #mode: 'read' | 'update';
  #endedUncleanly = false;
  #file: OpenFile | undefined;
  #identity = '';
  /** What is being done with the names: one thing after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  private constructor({ path, fileSystem, log, mode }: GuardedFileOptions, target: string) {
    this.#names = new FileNames(path, target, fileSystem, log);
    this.#fileSystem = fileSystem;
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
      guarded.#endedUncleanly = await guarded.#names.putRightAfterCrash();
      await guarded.#openFile();
      return guarded;
    } catch (error) {
      await guarded?.close(false).catch(() => undefined);
      throw asStorageError(error, 'INACCESSIBLE', 'opening', path);
    }
  }

  /** Where the file is: the path that was given, or what it is a symbolic link to. */
  get path(): string {
    return this.#names.path;
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
        await this.#names.moveSecondName();
        // The last moment: what somebody has put here meanwhile would go without a word.
        return this.#names.clear(this.#file, this.#identity);
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
        const { finding, size } = await this.#names.putRight(this.#identity);
        return { finding: finding !== 'gone' && size < written ? 'cut' : finding, size };
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
      if (isClean && this.#file !== undefined) await this.#names.leaveOne(this.#identity);
    } catch (error) {
      throw asStorageError(error, 'INACCESSIBLE', 'removing its second name', this.path);
    } finally {
      await this.#file?.close();
    }
  }

  async #openFile(): Promise<void> {
    this.#file = await this.#fileSystem.open(this.path, this.#mode);
    if (this.#file === undefined) return;
    this.#identity = await this.#file.identity();
    await this.#names.secure(this.#identity);
  }

  #afterOthers<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
