// socket-place.ts: where a socket can lie by which two threads meet: in a directory that only this user can enter.
//
// That is TMPDIR, if it is fit: it must exist, be writable, and its path be short enough, for a socket's has at most 107
// bytes (unix(7)), and Node.js 20 cuts off what is longer without a word: then two threads meet at one name. And there are
// file systems that have no Unix-domain sockets, such as the shares of Windows and of Docker Desktop. Where TMPDIR is not
// fit the usual places are tried.

import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PoolError } from './pool-error.js';
import { nameOf, PIPE_SERVER, Pipe, type RawPipe } from './raw-pipe.js';

/** sun_path has 108 bytes on Linux, the closing zero included; 104 elsewhere. */
const SOCKET_PATH_BYTES_MAX = 103;
/** Tried after TMPDIR. The last is in memory, and writable where a container's file system is not. */
const USUAL_PLACES = ['/tmp', '/dev/shm'];

/** A pipe that listens at a path of its own. */
export interface PrivateListener {
  readonly path: string;
  readonly pipe: RawPipe;
  /** Stops listening and removes the path. */
  close(): void;
}

/** Throws PoolError HANDOFF_FAILED, with what is the matter with each place. */
export function listenInPrivate(): PrivateListener {
  const reasons: string[] = [];
  for (const place of new Set([tmpdir(), ...USUAL_PLACES])) {
    try {
      return listenIn(place);
    } catch (error) {
      reasons.push(`${place}: ${(error as Error).message}`);
    }
  }
  throw new PoolError(
    'HANDOFF_FAILED',
    `no directory can hold the sockets by which threads are handed connections (${reasons.join('; ')}): set TMPDIR to one that can`,
  );
}

function listenIn(place: string): PrivateListener {
  const directory = mkdtempSync(join(place, 'pool-'));
  const pipe = new Pipe(PIPE_SERVER);
  const path = join(directory, 's');
  const close = () => {
    // Takes its path away, too.
    pipe.close();
    removeDirectory(directory);
  };
  try {
    const bytes = Buffer.byteLength(path);
    if (bytes > SOCKET_PATH_BYTES_MAX) {
      throw new Error(`a socket's path of ${bytes} bytes is too long, ${SOCKET_PATH_BYTES_MAX} are allowed`);
    }
    const bound = pipe.bind(path);
    if (bound !== 0) throw new Error(`its file system takes no Unix-domain socket (${nameOf(bound)})`);
    const listening = pipe.listen(1);
    if (listening !== 0) throw new Error(`cannot listen on a Unix-domain socket (${nameOf(listening)})`);
  } catch (error) {
    close();
    throw error;
  }
  return { path, pipe, close };
}

/** What is left behind is an empty directory: no reason to end anything. To look into it, as rmSync() does, takes a descriptor. */
function removeDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch {}
}
