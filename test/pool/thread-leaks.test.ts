// Threads that die before they are ready leave no descriptor behind. It counts the process's own: nothing else may run
// in it meanwhile.

import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { ThreadPool } from '../../src/pool/index.js';
import { ECHO_THREAD, forEachHandoff } from './support/pools.js';

const STARTS = 10;

function openSockets(): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // the one that the directory was read by
    }
  });
  return targets.filter((target) => target.startsWith('socket:')).length;
}

const isLinux = process.platform === 'linux';

forEachHandoff(
  isLinux ? test.serial : test.skip,
  `a thread that dies young takes its channel along${isLinux ? '' : '; skipped: open sockets are counted on Linux only'}`,
  async (t, handoff) => {
    const module = new URL('./doomed-thread.js', ECHO_THREAD);
    const before = openSockets();
    for (let start = 0; start < STARTS; start++) {
      const pool = new ThreadPool({ module, threads: 1, handoff });
      // It may be ready for a moment, if it says so before it dies.
      await pool.start().catch(() => {});
      await pool.close({ drainTimeoutMs: 0 });
    }
    // Handles are closed at the end of the turn.
    await nextTurn();
    t.is(openSockets(), before);
  },
);
