// journal-life.ts: the life of one journal in the simulated world, from one seed, and the check after each recovery.
//
// The n-th record carries its index n and a number that no other attempt ever has, so that a record which was taken back
// and written anew is told from its former self. A summary stands for all records before it.

import { type FileSystem, Journal, StorageError, type SyncMode } from '../../src/storage/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { type Omission, without } from '../support/simulated-omissions.js';
import { SimulatedProcess, SimulatedWorld } from '../support/simulated-world.js';

export interface JournalWorldOptions {
  readonly syncMode?: SyncMode;
  /** Whether the power may fail, not only the process. */
  readonly powerFailures?: boolean;
  /** Whether a power failure may take confirmed records with it (the last ones). */
  readonly mayLoseConfirmed?: boolean;
  /** A call that does nothing although it says so. */
  readonly broken?: Omission;
}

const PATH = '/data/journal';
const GENERATIONS_MAX = 5;
const STEPS_MAX = 120;
const WRITERS_MAX = 4;
const PAYLOAD_BYTES_MAX = 1500;

/** One life; returns how many steps it took, or throws what did not hold. */
export async function livesThrough(seed: number, options: JournalWorldOptions): Promise<number> {
  const world = new SimulatedWorld(seed);
  const disk = new SimulatedDisk(world);
  const life = new JournalLife(world, disk, options);
  const generations = world.random.integer(1, GENERATIONS_MAX);
  for (let generation = 0; generation < generations; generation++) await world.run(life.generation());
  await world.run(life.lastOpening());
  return world.steps;
}

interface Attempt {
  readonly index: number;
  readonly nonce: number;
}

class JournalLife {
  /** What was appended and not taken back, by index: the nonce. */
  #appended: number[] = [];
  /** How many of these were confirmed. */
  #confirmed = 0;
  /** Since a failed sync nobody knows where the journal ends. */
  #nonce = 0;

  constructor(
    readonly world: SimulatedWorld,
    readonly disk: SimulatedDisk,
    readonly options: JournalWorldOptions,
  ) {}

  /** Opens, checks, writes; ends with a crash at some step or with a clean close. */
  async generation(): Promise<void> {
    const { random } = this.world;
    this.#planFaults();
    const process = new SimulatedProcess(this.world);
    const crashed = new Promise<void>((resolve) => {
      const crashAt = this.world.steps + random.integer(1, STEPS_MAX);
      this.world.onStep = (step) => {
        if (step !== crashAt) return;
        process.kill();
        this.#perhapsLosePower();
        resolve();
      };
    });
    await Promise.race([this.#work(process), crashed]);
    this.world.onStep = () => undefined;
    process.kill();
  }

  /** Opens once more on a healthy disk. */
  async lastOpening(): Promise<void> {
    this.#healDisk();
    const process = new SimulatedProcess(this.world);
    const journal = await this.#open(process);
    await journal.close();
  }

  async #work(process: SimulatedProcess): Promise<void> {
    let journal: Journal;
    try {
      journal = await this.#open(process);
    } catch (error) {
      if (error instanceof StorageError && error.code !== 'CORRUPT') return;
      throw error;
    }
    const writers = Array.from({ length: this.world.random.integer(1, WRITERS_MAX) }, () =>
      this.#write(process, journal),
    );
    await Promise.all(writers);
    if (journal.state !== 'failed') await journal.close().catch(expectStorageError);
  }

  async #open(process: SimulatedProcess): Promise<Journal> {
    const recovered: Attempt[] = [];
    let isFirst = true;
    const journal = await Journal.open({
      path: PATH,
      fileSystem: this.#files(process),
      clock: process.clock,
      syncMode: this.options.syncMode ?? 'commit',
      onRecord: (payload, sequence) => {
        const bytes = Buffer.from(payload);
        const attempt = { index: bytes.readUInt32LE(0), nonce: bytes.readUInt32LE(4) };
        if (sequence === 0) {
          // A summary: all records up to this one, by their nonces.
          assertThat(isFirst, 'a summary stands first');
          for (let index = 0; index < attempt.index; index++) {
            recovered.push({ index, nonce: bytes.readUInt32LE(8 + 4 * index) });
          }
        } else recovered.push(attempt);
        isFirst = false;
      },
    });
    this.#check(recovered);
    return journal;
  }

  #files(process: SimulatedProcess): FileSystem {
    const files = this.disk.fileSystemOf(process);
    return this.options.broken === undefined ? files : without(this.options.broken, files);
  }

  #check(recovered: readonly Attempt[]): void {
    for (const [position, { index, nonce }] of recovered.entries()) {
      assertThat(index === position, `record ${index} stands at position ${position}`);
      assertThat(nonce === this.#appended[index], `record ${index} is not the one that was appended last`);
    }
    const least = this.options.mayLoseConfirmed === true ? 0 : this.#confirmed;
    assertThat(
      recovered.length >= least,
      `${recovered.length} records were recovered, but ${this.#confirmed} had been confirmed`,
    );
    // All that was recovered is on disk now and counts as confirmed; the rest is gone for good.
    this.#appended.length = recovered.length;
    this.#confirmed = recovered.length;
  }

  async #write(process: SimulatedProcess, journal: Journal): Promise<void> {
    const { random } = this.world;
    for (let round = random.integer(1, 30); round > 0; round--) {
      if (journal.state === 'failed') return;
      if (journal.state === 'full') {
        this.#healDisk();
        await process.sleep(300);
        continue;
      }
      try {
        if (random.chance(0.05)) await this.#restart(journal);
        else await this.#append(journal);
      } catch (error) {
        expectStorageError(error);
      }
      if (random.chance(0.3)) await process.sleep(random.integer(0, 5));
    }
  }

  async #append(journal: Journal): Promise<void> {
    const { random } = this.world;
    for (let count = random.integer(1, 4); count > 0; count--) {
      const payload = Buffer.alloc(
        8 + random.integer(0, random.pick([20, 200, PAYLOAD_BYTES_MAX])),
        random.integer(0, 255),
      );
      payload.writeUInt32LE(this.#appended.length, 0);
      payload.writeUInt32LE(this.#nonce, 4);
      this.#appended.push(this.#nonce++);
      journal.append(payload);
    }
    await this.#settle(journal, this.#appended.length, journal.commit());
  }

  async #restart(journal: Journal): Promise<void> {
    const summary = Buffer.alloc(8 + 4 * this.#appended.length);
    summary.writeUInt32LE(this.#appended.length, 0);
    for (const [index, nonce] of this.#appended.entries()) summary.writeUInt32LE(nonce, 8 + 4 * index);
    await this.#settle(journal, this.#appended.length, journal.restart([summary]));
  }

  /** Notes what a commit confirmed or denied, as a service would. */
  async #settle(journal: Journal, upTo: number, done: Promise<void>): Promise<void> {
    try {
      await done;
      this.#confirmed = Math.max(this.#confirmed, upTo);
    } catch (error) {
      const isDenied = error instanceof StorageError && error.code === 'WRITE_FAILED' && journal.state === 'full';
      if (isDenied) this.#appended.length = this.#confirmed;
      throw error;
    }
  }

  #planFaults(): void {
    const { random } = this.world;
    const { faults } = this.disk;
    this.#healDisk();
    faults.shortWrite = random.pick([0, 0.2]);
    faults.failedWrite = random.pick([0, 0, 0.05]);
    faults.failedSync = random.pick([0, 0, 0.03]);
    if (random.chance(0.2)) faults.capacityBytes = random.integer(1000, 50_000);
  }

  #healDisk(): void {
    const { faults } = this.disk;
    faults.shortWrite = 0;
    faults.failedWrite = 0;
    faults.failedSync = 0;
    faults.capacityBytes = Number.POSITIVE_INFINITY;
  }

  #perhapsLosePower(): void {
    if (this.options.powerFailures !== false && this.world.random.chance(0.6)) this.disk.powerFailure();
  }
}

function expectStorageError(error: unknown): void {
  if (!(error instanceof StorageError) || error.code === 'CORRUPT') throw error;
}

function assertThat(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}
