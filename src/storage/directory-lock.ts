// directory-lock.ts: one process per data directory.
//
// Node has no file locks, and a process id in a file proves nothing: it is reused, and in a container every service is
// number 1. What the kernel does know is whether somebody listens on a Unix-domain socket; it knows it the moment the
// process dies, and across containers that share the directory. So each starter puts a socket of its own, under a name
// that is never used again, into the directory, and then looks at the others':
//
//   listen on lock-<id>.tmp ──rename──> lock-<id>.socket ──> connect to every other lock-*.socket
//                                                              refused: its process is dead; remove the name
//                                                              "held":  LOCKED
//                                                              "wants": the lower id goes on waiting, the higher one
//                                                                       steps back and begins again
//   nobody else is left: the lock is held
//
// Why no two can hold it: each shows its socket before it looks, so of two starters at least one sees the other. Why
// nothing alive is ever removed: a name becomes visible only when its socket already listens, so a refused connection
// means a dead process, and the name removed for it cannot be anybody else's later.
//
// A socket's path has at most 107 bytes (unix(7)); a deep directory is reached as /proc/self/fd/<n>, which is short.

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
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
const UNFINISHED_NAME = /^lock-[0-9a-f]+\.tmp$/;
const RANDOM_BYTES = 4;
/** Hexadecimal digits of a time in milliseconds: enough until the year 10889. */
const TIME_DIGITS = 12;
const ID_DIGITS = TIME_DIGITS + 2 * RANDOM_BYTES;

/** sun_path has 108 bytes on Linux, the closing zero included; 104 elsewhere. */
const SOCKET_PATH_BYTES_MAX = 103;

/** A living process answers at once; one that is stopped, or busy for so long, holds its lock all the same. */
const ANSWER_TIMEOUT_MS = 1000;

/** How long starters at the same moment may take to agree: two take a few milliseconds, twenty on a busy machine seconds. */
const AGREEMENT_TIMEOUT_MS = 15_000;
const RETRY_MS = 20;
/** Who steps back stays away for longer each time, up to this, so that the first of many sees an empty directory soon. */
const RETRY_MS_MAX = 500;

/**
 * Takes the lock of the directory at `path`, which must exist.
 *
 * @throws StorageError LOCKED, with the holder's process id, host and start in the message; INACCESSIBLE
 */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  const directory = await openDirectory(path);
  const deadlineMs = performance.now() + AGREEMENT_TIMEOUT_MS;
  try {
    for (let retryMs = RETRY_MS; ; retryMs = Math.min(2 * retryMs, RETRY_MS_MAX)) {
      const claim = await Claim.show(path, directory);
      if (claim === undefined) continue;
      const rival = await decide(claim, deadlineMs).catch(async (error) => {
        await claim.withdraw();
        throw error;
      });
      if (rival === undefined) {
        await removeUnfinished(claim);
        return {
          path,
          async release() {
            await claim.withdraw();
            await directory.close();
          },
        };
      }
      await claim.withdraw();
      if (rival.state === 'held' || performance.now() > deadlineMs) throw lockedError(path, rival);
      await delay(retryMs * (1 + Math.random()));
    }
  } catch (error) {
    await directory.close();
    throw asStorageError(error, 'INACCESSIBLE', 'locking the directory', path);
  }
}

/** Resolves to undefined when the claim is held now, or to whoever stands in its way. */
async function decide(claim: Claim, deadlineMs: number): Promise<Answer | undefined> {
  while (true) {
    const rivals = await claim.rivals();
    const first = rivals.find(({ answer }) => answer.state === 'held') ?? rivals[0];
    if (first === undefined) {
      claim.hold();
      return undefined;
    }
    if (first.answer.state === 'held' || performance.now() > deadlineMs) return first.answer;
    if (rivals.some(({ name }) => name < claim.name)) return first.answer;
    await delay(RETRY_MS);
  }
}

/** One starter's socket in the directory. */
class Claim {
  readonly #directory: string;
  readonly #server: Server;
  readonly #since = new Date().toISOString();
  #state: Answer['state'] = 'wants';

  private constructor(
    directory: string,
    readonly name: string,
  ) {
    this.#directory = directory;
    this.#server = createServer((socket) => {
      const answer: Answer = { state: this.#state, pid: process.pid, host: hostname(), since: this.#since };
      socket.on('error', () => undefined).end(`${JSON.stringify(answer)}\n`);
      socket.unref();
    });
  }

  /** A claim that others can see; undefined if somebody tidied its unfinished name away just before it was shown. */
  static async show(path: string, directory: FileHandle): Promise<Claim | undefined> {
    // The time first: whoever begins again goes to the end of the line, so somebody is first until he has the lock.
    const time = Date.now().toString(16).padStart(TIME_DIGITS, '0');
    const id = time + randomBytes(RANDOM_BYTES).toString('hex');
    const claim = new Claim(shortPath(path, directory), `lock-${id}.socket`);
    const unfinished = claim.#pathOf(`lock-${id}.tmp`);
    await new Promise<void>((listening, reject) => {
      claim.#server.once('error', reject).listen(unfinished, listening);
    });
    claim.#server.unref();
    try {
      await rename(unfinished, claim.#pathOf(claim.name));
    } catch (error) {
      await claim.withdraw();
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
    return claim;
  }

  /** The living others; what dead ones have left is removed. */
  async rivals(): Promise<{ name: string; answer: Answer }[]> {
    const names = (await readdir(this.#directory)).filter((name) => NAME.test(name) && name !== this.name);
    const asked = await Promise.all(names.map(async (name) => ({ name, answer: await ask(this.#pathOf(name)) })));
    const living: { name: string; answer: Answer }[] = [];
    for (const { name, answer } of asked) {
      if (answer === undefined) await rm(this.#pathOf(name), { force: true });
      else living.push({ name, answer });
    }
    return living.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  hold(): void {
    this.#state = 'held';
  }

  async withdraw(): Promise<void> {
    await rm(this.#pathOf(this.name), { force: true });
    // It stops listening at once. Who is being answered may take his time; nothing waits for that.
    this.#server.close();
  }

  /** Names of sockets that a starter died over before it could show them. */
  async unfinished(): Promise<string[]> {
    return (await readdir(this.#directory))
      .filter((name) => UNFINISHED_NAME.test(name))
      .map((name) => this.#pathOf(name));
  }

  #pathOf(name: string): string {
    return join(this.#directory, name);
  }
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

async function removeUnfinished(claim: Claim): Promise<void> {
  for (const path of await claim.unfinished()) {
    if ((await ask(path)) === undefined) await rm(path, { force: true });
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
