// directory-lock.ts: one process per data directory.
//
// Node has no file locks, and a process id in a file proves nothing: it is reused, and in a container every service is
// number 1. What the kernel does know is whether somebody listens on a Unix-domain socket; it knows it the moment the
// process dies, and across containers that share the directory. So each starter puts a socket of its own, under a name
// that is never used again, into the directory, and then asks the others':
//
//   listen on lock-<id>.tmp ──rename──> lock-<id>.socket ──> ask every other lock-*.socket
//                                                              nobody listens: its process is dead; remove the name
//                                                              "held", or "wants" under a lower id: LOCKED
//                                                              "wants" under a higher id: it will give up; ask again
//   nobody else is left: the lock is held
//
// Why no two can hold it: each shows its socket before it asks, so of two starters at least one sees the other, and goes
// on only when that one has gone. Why one of several gets it: the lowest id gives up for nobody but a holder. Why nothing
// alive is ever removed: a name becomes visible only when its socket already listens, so a refused connection means a dead
// process, and the name removed for it cannot be anybody else's later.
//
// A socket's path has at most 107 bytes (unix(7)); a deep directory is reached as /proc/self/fd/<n>, which is short.

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { asStorageError, StorageError, systemCode } from './storage-error.js';

/** A held lock. It ends with the process, or with release(). */
export interface DirectoryLock {
  readonly path: string;
  release(): Promise<void>;
}

/** What a starter says to whoever connects. */
interface Answer {
  readonly state: 'wants' | 'held';
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

const NAME = /^lock-[0-9a-f]+\.socket$/;
const RANDOM_BYTES = 10;
const ID_DIGITS = 2 * RANDOM_BYTES;

/** sun_path has 108 bytes on Linux, the closing zero included; 104 elsewhere. */
const SOCKET_PATH_BYTES_MAX = 103;

/** A living process answers at once; one that is stopped, or busy for so long, holds its lock all the same. */
const ANSWER_TIMEOUT_MS = 2_000;

/** How often one that waits for others to give up asks again. */
const ASK_AGAIN_MS = 20;

/**
 * Takes the lock of the directory at `path`, which must exist.
 *
 * @throws StorageError LOCKED, with the holder's process id, host and start in the message; INACCESSIBLE; NO_SOCKETS
 */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  const directory = await openDirectory(path);
  try {
    const claim = await Claim.show(path, shortPath(path, directory));
    try {
      await claim.win();
    } catch (error) {
      await claim.withdraw();
      throw error;
    }
    return {
      path,
      async release() {
        await claim.withdraw();
        await directory.close();
      },
    };
  } catch (error) {
    await directory.close();
    throw asStorageError(error, 'INACCESSIBLE', 'locking the directory', path);
  }
}

/** One starter's socket in the directory. */
class Claim {
  readonly #server: Server;
  readonly #since = new Date().toISOString();
  readonly #name = `lock-${randomBytes(RANDOM_BYTES).toString('hex')}.socket`;
  #state: Answer['state'] = 'wants';

  private constructor(
    readonly path: string,
    readonly directory: string,
  ) {
    this.#server = createServer((socket) => {
      const answer: Answer = { state: this.#state, pid: process.pid, host: hostname(), since: this.#since };
      socket.on('error', () => undefined).end(`${JSON.stringify(answer)}\n`);
      socket.unref();
    });
  }

  /**
   * A claim that others can see. A starter that dies on the way leaves a name in `.tmp`, which nobody looks at.
   * @param directory a name of the directory at `path` that is short enough for sockets in it
   */
  static async show(path: string, directory: string): Promise<Claim> {
    const claim = new Claim(path, directory);
    const unfinished = join(directory, claim.#name.replace('.socket', '.tmp'));
    await new Promise<void>((listening, reject) => {
      claim.#server.once('error', reject).listen(unfinished, listening);
    }).catch((error) => rejectWithReason(error, path, unfinished));
    claim.#server.unref();
    await rename(unfinished, join(directory, claim.#name));
    return claim;
  }

  /** Resolves when the lock is held. Rejects with StorageError LOCKED. */
  async win(): Promise<void> {
    while (await this.#isContested()) await delay(ASK_AGAIN_MS);
    this.#state = 'held';
  }

  /** Whether others want the lock who will give up for this claim. Rejects with LOCKED where this one has to. */
  async #isContested(): Promise<boolean> {
    let isContested = false;
    // The lowest first: all but one of many starters then ask only that one.
    for (const name of (await readdir(this.directory)).filter((name) => NAME.test(name)).sort()) {
      if (name === this.#name) continue;
      const answer = await ask(join(this.directory, name));
      if (answer === undefined) await rm(join(this.directory, name), { force: true });
      else if (answer.state === 'held' || name < this.#name) throw lockedError(this.path, answer);
      else isContested = true;
    }
    return isContested;
  }

  async withdraw(): Promise<void> {
    await rm(join(this.directory, this.#name), { force: true });
    // It stops listening at once. A starter that is just being answered may take its time; nothing waits for that.
    this.#server.close();
  }
}

/** Tells a directory that cannot be written from a file system without sockets. */
async function rejectWithReason(error: unknown, path: string, unfinished: string): Promise<never> {
  const isWritable = await writeFile(unfinished, '').then(
    () => rm(unfinished).then(() => true),
    () => false,
  );
  if (!isWritable) throw error;
  throw new StorageError(
    'NO_SOCKETS',
    `${path}: its file system has no Unix-domain sockets (${systemCode(error)}), which keep a second process out; shares of Windows and of Docker Desktop have none: use a directory on another file system`,
    { path, cause: error },
  );
}

/** Somebody lives there but does not say who; it is safe to take it for the holder. */
const SILENT: Answer = { state: 'held', pid: 0, host: 'unknown', since: 'unknown' };

/** What the process behind a socket says; undefined if there is none. */
async function ask(path: string): Promise<Answer | undefined> {
  const deadlineMs = performance.now() + ANSWER_TIMEOUT_MS;
  while (true) {
    const reply = await askOnce(path);
    if (reply === 'nobody') return undefined;
    // Closed without a word: it stepped back or died while we asked. The next try finds out.
    if (reply !== '') return parseAnswer(reply) ?? SILENT;
    if (performance.now() > deadlineMs) return SILENT;
    await delay(1);
  }
}

/** All that the other side says before it closes; `timeout` if it does not close in time. */
function askOnce(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    const finish = (reply: string) => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => finish('timeout'));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    socket.on('end', () => finish(text));
    socket.on('error', (error) => {
      const code = systemCode(error);
      if (code === 'EACCES' || code === 'EPERM') reject(error);
      else finish(code === 'ECONNREFUSED' || code === 'ENOENT' ? 'nobody' : text);
    });
  });
}

function parseAnswer(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

function lockedError(path: string, holder: Answer): StorageError {
  const who =
    holder.pid === 0
      ? 'a process that does not answer'
      : `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  return new StorageError('LOCKED', `${path}: in use by ${who}: stop it first, or use another data directory`, {
    path,
  });
}

async function openDirectory(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw asStorageError(error, 'INACCESSIBLE', 'opening the directory', path);
  }
}

/** The directory under the shortest of its names, so that a socket's path fits. */
function shortPath(path: string, directory: FileHandle): string {
  const absolute = resolve(path);
  const names = [absolute, process.platform === 'linux' ? `/proc/self/fd/${directory.fd}` : relative('', absolute)];
  const longest = 'lock-'.length + ID_DIGITS + '.socket'.length + 1;
  return names.find((name) => Buffer.byteLength(name) + longest <= SOCKET_PATH_BYTES_MAX) ?? absolute;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
