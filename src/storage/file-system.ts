// file-system.ts: the few file calls that storage uses, as an interface that tests can break.
//
// What each call promises about a crash, and what it does not:
//
//   write      visible to readers at once; on disk only after the file's datasync or sync, and until then any part of it
//              may be there or not
//   truncate   likewise
//   rename     atomic; on disk only after syncDirectory; nothing happens where both names are the same file's already
//   renameOver likewise
//   link       likewise; both names are equal, and the file lives as long as one of them does
//   datasync   content and size are on disk; if it fails, nobody knows what is, and trying again proves nothing
//
// A missing file is an ordinary outcome (undefined); every other failure is Node's own error with its `code`.

import * as fs from 'node:fs';
import { constants } from 'node:fs';
import { link, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { createDirectory, syncDirectory } from './directories.js';
import { systemCode } from './storage-error.js';

/**
 * How a file is opened: `read` it, `update` it in place (both: it must exist), or `create` it anew, empty, in place of
 * what may be there.
 */
export type OpenMode = 'read' | 'update' | 'create';

/** What a name stands for at this moment. */
export interface FileStat {
  /** The same for two names of one file; kept for as long as the file is open or has a name. */
  readonly identity: string;
  readonly size: number;
  readonly isFile: boolean;
}

/** An open file. Positions and lengths are in bytes. Calls on one file are made one after the other. */
export interface OpenFile {
  size(): Promise<number>;
  /** See FileStat. */
  identity(): Promise<string>;
  /** Reads up to `target.length` bytes from `position` on; returns how many, 0 at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes at `position`; returns how many bytes were taken, which may be fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  truncate(size: number): Promise<void>;
  /** Content and size on disk (fdatasync). */
  datasync(): Promise<void>;
  /** Everything about the file on disk (fsync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** The open file; undefined if it does not exist (`read` and `update` alone). */
  open(path: string, mode: OpenMode): Promise<OpenFile | undefined>;
  /** What the path names, symbolic links followed; undefined if that does not exist. */
  stat(path: string): Promise<FileStat | undefined>;
  /** The path with symbolic links followed, whether or not there is a file at its end. */
  followLinks(path: string): Promise<string>;
  /** A second name for a file (a hard link). EEXIST if the name is taken. */
  link(path: string, name: string): Promise<void>;
  /** A symbolic link. EEXIST if the name is taken. */
  symlink(target: string, name: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /**
   * Renames where `to` still names that file (undefined: none): false, and nothing is done, where it does not. Look and rename
   * follow one another at once: whatever comes in the microseconds between is lost, for Node.js has no call that swaps names.
   */
  renameOver(from: string, to: string, identity: string | undefined): Promise<boolean>;
  /** Removes a file; it is fine if there is none. */
  remove(path: string): Promise<void>;
  /** Makes a directory, and those that it lies in, on disk; it is fine if it exists. */
  createDirectory(path: string): Promise<void>;
  /** Puts names in that directory on disk: those created, renamed and removed. */
  syncDirectory(path: string): Promise<void>;
}

/** O_NONBLOCK: a pipe with a name is opened at once, and refused, instead of when somebody writes to it. */
const OPEN_FLAGS: Record<OpenMode, number> = {
  read: constants.O_RDONLY | constants.O_NONBLOCK,
  update: constants.O_RDWR | constants.O_NONBLOCK,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
};

/** Copied at once. */
const COPY_BYTES = 1024 * 1024;

/** Rights of a new file, before the umask. */
const FILE_RIGHTS = 0o644;

/** Symbolic links that lead to one another, as many as Linux follows. */
const LINKS_MAX = 40;

/**
 * Up to this many bytes a write is done on the calling thread: it only copies into the system's memory, some 10 µs, where
 * handing it to another thread and being woken costs two to six times that. Larger ones would hold the event loop up.
 */
const WRITE_HERE_BYTES_MAX = 64 * 1024;

/**
 * Where the sync before took at most this long, the next is waited for on the calling thread: handing it to another thread
 * and being woken costs 0.1 ms, and more where that thread has to wait for a core. A disk that begins to stall holds the event
 * loop up once, and not again before it is quick. Milliseconds; solid-state disks take 0.1 to 0.5.
 */
const SYNC_HERE_MS_MAX = 1;

export const nodeFileSystem: FileSystem = {
  open: openFile,
  async stat(path) {
    try {
      const stats = await stat(path, { bigint: true });
      return { identity: identityOf(stats), size: Number(stats.size), isFile: stats.isFile() };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  followLinks,
  link,
  symlink: (target, name) => symlink(target, name),
  rename,
  async renameOver(from, to, identity) {
    const stats = fs.statSync(to, { bigint: true, throwIfNoEntry: false });
    if ((stats && identityOf(stats)) !== identity) return false;
    fs.renameSync(from, to);
    return true;
  },
  remove: (path) => rm(path, { force: true }),
  createDirectory,
  syncDirectory,
};

async function followLinks(path: string): Promise<string> {
  let end = path;
  for (let links = 0; links <= LINKS_MAX; links++) {
    const target = await readlink(end).catch(() => undefined);
    if (target === undefined) return end;
    end = resolve(await realpath(dirname(end)), target);
  }
  throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' });
}

function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function identityOf({ dev, ino }: fs.BigIntStats): string {
  return `${dev}:${ino}`;
}

function openFile(path: string, mode: OpenMode): Promise<OpenFile | undefined> {
  return new Promise((resolve, reject) => {
    fs.open(path, OPEN_FLAGS[mode], FILE_RIGHTS, (error, descriptor) => {
      if (error === null) resolve(requireRegular(descriptor).then(() => new NodeFile(descriptor)));
      else if (error.code === 'ENOENT' && mode !== 'create') resolve(undefined);
      else reject(error);
    });
  });
}

async function requireRegular(descriptor: number): Promise<void> {
  if ((await fstat(descriptor)).isFile()) return;
  fs.closeSync(descriptor);
  throw Object.assign(new Error('it is not a regular file'), { code: 'EINVAL' });
}

const fstat = promisify(fs.fstat);
const fstatExactly = promisify<number, { bigint: true }, fs.BigIntStats>(fs.fstat);
const ftruncate = promisify(fs.ftruncate);
const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const close = promisify(fs.close);
const turnEnd = promisify(setImmediate);

/** A descriptor with callbacks made into promises: about half the cost per call of Node's own FileHandle. */
class NodeFile implements OpenFile {
  /** How long the newest datasync took; the first is made on another thread. */
  #datasyncMs = Number.POSITIVE_INFINITY;

  constructor(readonly descriptor: number) {}

  async size(): Promise<number> {
    return (await fstat(this.descriptor)).size;
  }

  async identity(): Promise<string> {
    return identityOf(await fstatExactly(this.descriptor, { bigint: true }));
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.descriptor, target, 0, target.length, position, countCallbackOf(resolve, reject));
    });
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      if (bytes.length <= WRITE_HERE_BYTES_MAX) {
        return resolve(fs.writeSync(this.descriptor, bytes, 0, bytes.length, position));
      }
      fs.write(this.descriptor, bytes, 0, bytes.length, position, countCallbackOf(resolve, reject));
    });
  }

  truncate(size: number): Promise<void> {
    return ftruncate(this.descriptor, size);
  }

  async datasync(): Promise<void> {
    const isHere = this.#datasyncMs <= SYNC_HERE_MS_MAX;
    // The turn of the event loop ends first: messages written in it leave, and others that came with this one are read.
    if (isHere) await turnEnd();
    const begin = performance.now();
    if (isHere) fs.fdatasyncSync(this.descriptor);
    else await fdatasync(this.descriptor);
    this.#datasyncMs = performance.now() - begin;
  }

  sync(): Promise<void> {
    return fsync(this.descriptor);
  }

  close(): Promise<void> {
    return close(this.descriptor);
  }
}

function countCallbackOf(resolve: (count: number) => void, reject: (error: unknown) => void) {
  return (error: Error | null, count: number) => (error === null ? resolve(count) : reject(error));
}

/** Writes all of `bytes` at `position`, in as many calls as it takes. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const count = await file.write(bytes.subarray(done), position + done);
    if (count === 0) throw incompleteWrite();
    done += count;
  }
}

/**
 * Writes all of `bytes` at `position` in one call, or throws. The rest of a write that was cut short is not written
 * after it: then a crash could leave the first part of a sector, and what is torn would look like what is corrupt. Disks
 * cut a write short when they are full, and the next call would say so.
 */
export async function writeAtOnce(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  if ((await file.write(bytes, position)) < bytes.length) throw incompleteWrite();
}

function incompleteWrite(): Error {
  return Object.assign(new Error('a write took only a part of its bytes'), { code: 'ENOSPC' });
}

/** Fills `target` from `position` on, as far as the file goes; returns how many bytes there were. */
export async function readFully(file: OpenFile, target: Uint8Array, position: number): Promise<number> {
  let length = 0;
  while (length < target.length) {
    const count = await file.read(target.subarray(length), position + length);
    if (count === 0) break;
    length += count;
  }
  return length;
}

/** Copies bytes `start` to `end` of one file to `position` of another, or of the same one. */
export async function copyBytes(
  from: OpenFile,
  start: number,
  end: number,
  to: OpenFile,
  position: number,
): Promise<void> {
  const chunk = Buffer.allocUnsafe(Math.min(COPY_BYTES, end - start));
  for (let done = 0; start + done < end; ) {
    const length = await readFully(from, chunk.subarray(0, Math.min(chunk.length, end - start - done)), start + done);
    if (length === 0) break;
    await writeAll(to, chunk.subarray(0, length), position + done);
    done += length;
  }
}

/** The whole content of a file, or undefined if there is none. */
export async function readWholeFile(
  path: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Buffer | undefined> {
  const file = await fileSystem.open(path, 'read');
  if (file === undefined) return undefined;
  try {
    const content = Buffer.allocUnsafe(await file.size());
    const length = await readFully(file, content, 0);
    return content.subarray(0, length);
  } finally {
    await file.close();
  }
}
