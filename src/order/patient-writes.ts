// patient-writes.ts: writes that are done again and again until they work, for as long as the disk has no room.

import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import { StorageError } from '../storage/index.js';
import { OrderError } from './order-error.js';
import { pause } from './pause.js';

/** Between two tries to write what the disk had no room for. */
const RETRY_MS = 500;

export class PatientWrites {
  readonly #clock: Clock;
  readonly #logger: Log;
  /** What could not be written there yet. */
  readonly #isFull = { journal: false, file: false };
  #isOver = false;

  constructor(clock: Clock, logger: Log) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Whether something waits for room. */
  get isWaiting(): boolean {
    return this.#isFull.journal || this.#isFull.file;
  }

  /** Nothing is tried any more; what waits fails. */
  end(): void {
    this.#isOver = true;
  }

  /** @throws OrderError CLOSED after end(); whatever `write` throws other than StorageError WRITE_FAILED */
  async until(where: 'journal' | 'file', write: () => Promise<void>): Promise<void> {
    for (let hasFailed = false; ; hasFailed = true) {
      if (this.#isOver) throw new OrderError('CLOSED', 'the order log is closed');
      try {
        await write();
        this.#isFull[where] = false;
        if (hasFailed) this.#logger.info('the order log can be written again', { where });
        return;
      } catch (error) {
        if (!(error instanceof StorageError && error.code === 'WRITE_FAILED')) throw error;
        this.#isFull[where] = true;
        if (!hasFailed) this.#logger.error('the order log cannot be written: not selling', { where, error });
      }
      await pause(this.#clock, RETRY_MS);
    }
  }
}
