// simulated-disk.ts: a file system in memory that keeps exactly the promises of src/storage/file-system.ts, no more.
//
//   cached   what readers see; survives the death of a process
//   durable  what a power failure leaves: all that was synced, and any part of what was not
//
// Faults that must be survived:
//   - a write takes fewer bytes than it was given, or is refused (ENOSPC by capacity, EIO by plan)
//   - a process dies in the middle of a call: a write is then done in part, another call done or not
//   - the power fails: of every sector written since the last sync, any of its versions since then may be there; the
//     size is any that the file has had since, or one between two of them; what was never written reads as zeros
//   - a name created, renamed or removed is durable only after its directory was synced; until then any beginning of
//     the sequence of changes may be there
//   - a sync fails: some sectors reached the disk, the others never will, although readers go on seeing them and the
//     next sync says all is well (as Linux does it)
// What it does not do: change bytes that were synced, or write half a sector.

import { dirname } from 'node:path';
import type { FileStat, FileSystem, OpenFile } from '../../src/storage/index.js';
import { SeededRandom } from './simulated-random.js';
import type { SimulatedProcess, SimulatedWorld } from './simulated-world.js';

const SECTOR_BYTES = 512;

/** What can be planned to go wrong; all are off at first. */
export interface DiskFaults {
  /** Bytes that all files together may have; more is ENOSPC. */
  capacityBytes: number;
  /** Probability that a write takes only some of its bytes. */
  shortWrite: number;
  /** Probability that a write fails with EIO, having written some of its bytes. */
  failedWrite: number;
  /** Probability that a sync of a file fails with EIO. */
  failedSync: number;
  /** Longest time that one call takes, in milliseconds. */
  latencyMs: number;
}

export class SimulatedDisk {
  readonly faults: DiskFaults = {
    capacityBytes: Number.POSITIVE_INFINITY,
    shortWrite: 0,
    failedWrite: 0,
    failedSync: 0,
    latencyMs: 2,
  };
  syncs = 0;
  readonly #random: SeededRandom;
  readonly #cachedNames = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();
  /** Changes of names that are not durable yet, by directory, oldest first. */
  readonly #nameChanges = new Map<string, NameChange[]>();

  constructor(readonly world: SimulatedWorld) {
    this.#random = new SeededRandom(world.random.integer(0, 0xffffffff));
  }

  /** The disk as one process sees it: its calls take time, and die with it. */
  fileSystemOf(process: SimulatedProcess): FileSystem {
    return new ProcessFileSystem(this, process, this.#random);
  }

  /** Cuts the power. Every process must be dead. What is left becomes what readers see. */
  powerFailure(): void {
    for (const changes of this.#nameChanges.values()) {
      const kept = this.#random.integer(0, changes.length);
      for (const change of changes.slice(0, kept)) change(this.#durableNames);
    }
    this.#nameChanges.clear();
    this.#cachedNames.clear();
    for (const inode of new Set(this.#durableNames.values())) inode.losePower(this.#random);
    for (const [path, inode] of this.#durableNames) this.#cachedNames.set(path, inode);
  }

  /** Content as readers see it. */
  content(path: string): Buffer | undefined {
    const inode = this.#cachedNames.get(path);
    return inode === undefined ? undefined : Buffer.from(inode.cached);
  }

  /** Puts a file there, durable at once. */
  put(path: string, content: Uint8Array): void {
    const inode = new Inode();
    inode.write(content, 0);
    inode.sync();
    this.#cachedNames.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  /** What stands below a directory, to be put back later. */
  copyOf(directory: string): DirectoryCopy {
    const paths = this.paths().filter((path) => path.startsWith(`${directory}/`));
    return new Map(paths.map((path) => [path, this.content(path)!]));
  }

  /** What stands below a directory becomes what the copy has; durable at once. Nobody may be using it. */
  putBack(directory: string, copy: DirectoryCopy): void {
    this.syncNames(directory);
    for (const path of this.copyOf(directory).keys()) {
      this.#cachedNames.delete(path);
      this.#durableNames.delete(path);
    }
    for (const [path, content] of copy) this.put(path, content);
  }

  /** Somebody else, at once: removes the name, gives it to another file, or cuts the file short. */
  touch(path: string, how: Touch): void {
    const inode = this.#cachedNames.get(path);
    if (inode === undefined) return;
    const length = this.#random.integer(0, inode.cached.length);
    if (how === 'cut') return inode.truncate(length);
    if (how === 'removed') return this.changeName(path, (names) => names.delete(path));
    const other = new Inode();
    other.write(how === 'rewritten' ? inode.cached : inode.cached.subarray(0, length), 0);
    this.changeName(path, (names) => names.set(path, other));
  }

  paths(): string[] {
    return [...this.#cachedNames.keys()].sort();
  }

  lookUp(path: string): Inode | undefined {
    return this.#cachedNames.get(path);
  }

  changeName(path: string, change: NameChange): void {
    change(this.#cachedNames);
    const directory = dirname(path);
    const changes = this.#nameChanges.get(directory) ?? [];
    changes.push(change);
    this.#nameChanges.set(directory, changes);
  }

  syncNames(directory: string): void {
    for (const change of this.#nameChanges.get(directory) ?? []) change(this.#durableNames);
    this.#nameChanges.delete(directory);
  }

  /** How many of `wanted` further bytes there is room for. */
  room(wanted: number): number {
    let used = 0;
    for (const inode of new Set(this.#cachedNames.values())) used += inode.cached.length;
    return Math.max(0, Math.min(wanted, this.faults.capacityBytes - used));
  }
}

/** The files below a directory, by path. */
export type DirectoryCopy = ReadonlyMap<string, Buffer>;

/** What people do to a file: rm or mv; sed -i; logrotate, or a copy from before; truncate. */
export type Touch = 'removed' | 'rewritten' | 'older' | 'cut';

type NameChange = (names: Map<string, Inode>) => void;

let inodeCount = 0;

/** One file's bytes, cached and durable. It may have several names, or none while it is open. */
class Inode {
  readonly identity = `inode ${inodeCount++}`;
  cached: Buffer = Buffer.alloc(0);
  #durable: Buffer = Buffer.alloc(0);
  /** Sectors written since the last sync, each with its versions since then, oldest first. */
  readonly #dirty = new Map<number, Buffer[]>();
  /** Sizes since the last sync, oldest first. */
  #sizes: number[] = [];

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.cached.length) this.#resize(end);
    this.cached.set(bytes, position);
    this.#remember(position, end);
  }

  truncate(size: number): void {
    const before = this.cached.length;
    this.#resize(size);
    this.#remember(size, before);
  }

  /** All that was written since the last sync is on disk. */
  sync(): void {
    const { length } = this.cached;
    if (this.#durable.length !== length) this.#durable = resized(this.#durable, length);
    for (const sector of this.#dirty.keys()) {
      const start = sector * SECTOR_BYTES;
      if (start < length) this.cached.copy(this.#durable, start, start, start + SECTOR_BYTES);
    }
    this.#forget();
  }

  /** Any part on disk, the rest never. */
  failSync(random: SeededRandom): void {
    this.#durable = this.#leftovers(random);
    this.#forget();
  }

  losePower(random: SeededRandom): void {
    this.#durable = this.#leftovers(random);
    this.cached = Buffer.from(this.#durable);
    this.#forget();
  }

  /** Something between what was synced and what was written since. */
  #leftovers(random: SeededRandom): Buffer {
    const sizes = [this.#durable.length, ...this.#sizes];
    const index = random.integer(0, sizes.length - 1);
    const size = random.chance(0.5) ? sizes[index]! : between(random, sizes[Math.max(0, index - 1)]!, sizes[index]!);
    const bytes = resized(this.#durable, size);
    // All sectors, none of them, or any.
    const probability = random.pick([0, 0.5, 0.9, 1]);
    for (const [sector, versions] of this.#dirty) {
      if (random.chance(probability)) random.pick(versions).copy(bytes, sector * SECTOR_BYTES);
    }
    return bytes;
  }

  #resize(size: number): void {
    this.cached = resized(this.cached, size);
    this.#sizes.push(size);
  }

  #remember(start: number, end: number): void {
    for (let sector = Math.floor(start / SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++) {
      const version = resized(this.cached.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES), SECTOR_BYTES);
      const versions = this.#dirty.get(sector);
      if (versions === undefined) this.#dirty.set(sector, [version]);
      else versions.push(version);
    }
  }

  #forget(): void {
    this.#dirty.clear();
    this.#sizes = [];
  }
}

/** A copy of that length, filled up with zeros. Small ones share memory: a simulation makes them by the ten thousand. */
function resized(bytes: Buffer, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length);
  return copy.fill(0, bytes.copy(copy));
}

function between(random: SeededRandom, one: number, other: number): number {
  return random.integer(Math.min(one, other), Math.max(one, other));
}

/** One call on its way: what it does when it is done, and what is left of it when its process dies before. */
interface Call {
  readonly finish: () => void;
  readonly die: () => void;
}

class ProcessFileSystem implements FileSystem {
  readonly #calls = new Set<Call>();

  constructor(
    readonly disk: SimulatedDisk,
    readonly process: SimulatedProcess,
    readonly random: SeededRandom,
  ) {
    process.onKill(() => {
      for (const call of this.#calls) call.die();
    });
  }

  open(path: string, mode: 'read' | 'update' | 'create'): Promise<OpenFile | undefined> {
    return this.call(() => {
      const existing = this.disk.lookUp(path);
      if (mode !== 'create') return existing && new SimulatedFile(this, existing);
      if (existing !== undefined) {
        existing.truncate(0);
        return new SimulatedFile(this, existing);
      }
      const inode = new Inode();
      this.disk.changeName(path, (names) => names.set(path, inode));
      return new SimulatedFile(this, inode);
    });
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.call(() => {
      const inode = this.disk.lookUp(path);
      return inode && { identity: inode.identity, size: inode.cached.length, isFile: true };
    });
  }

  followLinks(path: string): Promise<string> {
    return Promise.resolve(path);
  }

  link(path: string, name: string): Promise<void> {
    return this.call(() => {
      const inode = this.disk.lookUp(path);
      if (inode === undefined) throw failure('ENOENT');
      if (this.disk.lookUp(name) !== undefined) throw failure('EEXIST');
      this.disk.changeName(name, (names) => names.set(name, inode));
    });
  }

  symlink(): Promise<void> {
    throw new Error('the simulated disk has no symbolic links');
  }

  createDirectory(): Promise<void> {
    return Promise.resolve();
  }

  rename(from: string, to: string): Promise<void> {
    return this.call(() => this.#rename(from, to));
  }

  renameOver(from: string, to: string, identity: string | undefined): Promise<boolean> {
    return this.call(() => {
      if (this.disk.lookUp(to)?.identity !== identity) return false;
      this.#rename(from, to);
      return true;
    });
  }

  #rename(from: string, to: string): void {
    const inode = this.disk.lookUp(from);
    if (inode === undefined) throw failure('ENOENT');
    if (inode === this.disk.lookUp(to)) return;
    this.disk.changeName(to, (names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  remove(path: string): Promise<void> {
    return this.call(() => {
      if (this.disk.lookUp(path) !== undefined) this.disk.changeName(path, (names) => names.delete(path));
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.call(() => this.disk.syncNames(path));
  }

  /** Does `effect` some time later; if the process dies before, it is done or not, or `part` of it is. */
  call<T>(effect: () => T, part?: () => void): Promise<T> {
    // What a dead process still tries to do does not happen, and it waits for it for ever.
    if (!this.process.isAlive) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      const call: Call = {
        finish: () => {
          this.#calls.delete(call);
          try {
            resolve(effect());
          } catch (error) {
            reject(error);
          }
        },
        die: () => {
          if (this.random.chance(0.5)) return;
          try {
            if (part === undefined) effect();
            else part();
          } catch {
            // Nobody is left to be told.
          }
        },
      };
      this.#calls.add(call);
      this.process.after(this.random.next() * this.disk.faults.latencyMs, call.finish);
    });
  }
}

class SimulatedFile implements OpenFile {
  constructor(
    readonly fileSystem: ProcessFileSystem,
    readonly inode: Inode,
  ) {}

  size(): Promise<number> {
    return this.fileSystem.call(() => this.inode.cached.length);
  }

  identity(): Promise<string> {
    return Promise.resolve(this.inode.identity);
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.fileSystem.call(() => {
      const source = this.inode.cached.subarray(position, position + target.length);
      target.set(source);
      return source.length;
    });
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    const { random, disk } = this.fileSystem;
    const effect = () => {
      const isFailing = random.chance(disk.faults.failedWrite);
      const isShort = isFailing || random.chance(disk.faults.shortWrite);
      const wanted = isShort && bytes.length > 1 ? random.integer(1, bytes.length - 1) : bytes.length;
      const growth = Math.max(0, position + wanted - this.inode.cached.length);
      const taken = wanted - growth + disk.room(growth);
      if (taken > 0) this.inode.write(bytes.subarray(0, taken), position);
      if (isFailing) throw failure('EIO');
      if (taken === 0 && bytes.length > 0) throw failure('ENOSPC');
      return taken;
    };
    const part = () => this.inode.write(bytes.subarray(0, random.integer(0, bytes.length)), position);
    return this.fileSystem.call(effect, part);
  }

  truncate(size: number): Promise<void> {
    return this.fileSystem.call(() => this.inode.truncate(size));
  }

  datasync(): Promise<void> {
    const { random, disk } = this.fileSystem;
    return this.fileSystem.call(() => {
      disk.syncs++;
      if (random.chance(disk.faults.failedSync)) {
        this.inode.failSync(random);
        throw failure('EIO');
      }
      this.inode.sync();
    });
  }

  sync(): Promise<void> {
    return this.datasync();
  }

  close(): Promise<void> {
    return this.fileSystem.call(() => undefined);
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
