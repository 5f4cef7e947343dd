/** A file that is appended to. Calls of sync() never overlap. */
export interface SyncedFile {
  append(record: string): void;
  /** Resolves when all that was appended before the call is on disk. */
  sync(): Promise<void>;
}

/** A sync speaks for what was appended before it began: whoever comes later needs the next one. */
export class GroupCommit {
  readonly #file: SyncedFile;
  #running: Promise<void> | undefined;
  /** The sync after the one that runs. */
  #next: Promise<void> | undefined;

  constructor(file: SyncedFile) {
    this.#file = file;
  }

  commit(record: string): Promise<void> {
    this.#file.append(record);
    if (this.#running === undefined) return this.#sync();
    // After a failure this rejects too, for good: #running stays as it is.
    this.#next ??= this.#running.then(() => this.#sync());
    return this.#next;
  }

  #sync(): Promise<void> {
    this.#next = undefined;
    this.#running = this.#file.sync().then(() => {
      if (this.#next === undefined) this.#running = undefined;
    });
    return this.#running;
  }
}
