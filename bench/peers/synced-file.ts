// synced-file.ts: durability as it is written first: each order is a line, appended and synced before its answer.
//
//   --fsync FILE      line ─► write ─► fdatasync ─► answer      one sync for each order, however many wait
//   --writes side-by-side      orders that come together are written together, on the four threads that Node has for
//                              files; the file system may let one sync of the disk serve several of them
//   --writes in-turn           each begins when the last one is on disk: the lines stand in the order of their numbers,
//                              and a crash leaves no gap, which a book of orders needs

import { type FileHandle, open } from 'node:fs/promises';
import { flag } from './peer-process.js';

/** A file to which lines are appended durably. */
export class SyncedFile {
  readonly #handle: FileHandle;
  readonly #isInTurn: boolean;
  #last: Promise<void> = Promise.resolve();

  private constructor(handle: FileHandle, isInTurn: boolean) {
    this.#handle = handle;
    this.#isInTurn = isInTurn;
  }

  /** The file that `--fsync` names; undefined where this peer keeps nothing. */
  static async open(): Promise<SyncedFile | undefined> {
    const path = flag('fsync', '');
    return path === ''
      ? undefined
      : new SyncedFile(await open(path, 'a'), flag('writes', 'side-by-side') === 'in-turn');
  }

  /** Resolves when the line is on disk. */
  append(line: string): Promise<void> {
    if (!this.#isInTurn) return this.#write(line);
    this.#last = this.#last.then(() => this.#write(line));
    return this.#last;
  }

  async #write(line: string): Promise<void> {
    await this.#handle.appendFile(line);
    await this.#handle.datasync();
  }
}
