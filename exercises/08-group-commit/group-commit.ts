/** A file that is appended to. Calls of sync() never overlap. */
export interface SyncedFile {
  append(record: string): void;
  /** Resolves when all that was appended before the call is on disk. */
  sync(): Promise<void>;
}

/** Many commits share a sync: while one runs, those who come wait for the next, together. */
export class GroupCommit {
  readonly #file: SyncedFile;
  #running: Promise<void> | undefined;

  constructor(file: SyncedFile) {
    this.#file = file;
  }

  /** Resolves when the record is on disk; rejects if nobody knows whether it is. */
  commit(record: string): Promise<void> {
    this.#file.append(record);
    this.#running ??= this.#file.sync().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }
}
