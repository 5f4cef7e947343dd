// idle.ts: what connections cost on which nothing is said: 5,000 of them at the store's front end, its processor time over
// ten seconds and its memory, from /proc, beside the same with none.

import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Bar, type Figure, figureOf, type Measured } from '../figures.js';
import { amountOf } from '../run/bench-options.js';
import { cpuSeconds, familyOf, memoryMib, openFilesMax } from '../store/process-usage.js';
import type { Target } from '../store/server-process.js';
import { startToystore } from '../store/toystore.js';
import type { Scenario } from './scenario.js';

const CONNECTIONS = 5000;
/** Files that this process has open besides. */
const OTHER_FILES = 200;
/** At a time: fewer than the kernel lets wait for a server to accept them. */
const OPENED_TOGETHER = 100;
const SECONDS = 10;
/** What is still to do right after the last answer is not idle. */
const SETTLE_SECONDS = 1;
const MS_PER_S = 1000;
const PERCENT = 100;
const KIB_PER_MIB = 1024;
/** Percent of a core. */
const BAR = { atMost: 2 };
/** So that each connection is one that the server knows, not one that has yet to say anything. */
const REQUEST = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

export const idle: Scenario = async (context) => {
  const filesMax = openFilesMax();
  if (filesMax === undefined) {
    context.note('not measured: this system has no /proc to read processor time from.');
    return;
  }
  if (filesMax < CONNECTIONS + OTHER_FILES) {
    const needed = CONNECTIONS + OTHER_FILES;
    context.note(`not measured: a process may have ${filesMax} files open here: \`ulimit -n ${needed}\` first.`);
    return;
  }
  const settings = { ...context.options.settings, SESSIONS_PER_THREAD: String(CONNECTIONS) };
  const store = await startToystore({ settings });
  const sockets: Socket[] = [];
  try {
    const seconds = amountOf(context.options, SECONDS);
    const frontend = familyOf(store.pid!, 'frontend');
    context.step('no connections');
    const shareBefore = await coreShare(frontend, seconds);
    const mibBefore = memoryMib(frontend);
    context.step(`opening ${CONNECTIONS} connections`);
    await openAll(store, sockets);
    context.step(`${CONNECTIONS} idle connections`);
    const share = await coreShare(frontend, seconds);
    const kib = ((memoryMib(frontend) - mibBefore) * KIB_PER_MIB) / CONNECTIONS;
    const closed = sockets.filter((socket) => socket.closed || socket.readableEnded).length;
    if (closed > 0) throw new Error(`the front end closed ${closed} of ${CONNECTIONS} idle connections`);
    context.addFigures([
      figure('processor time of the front end', 'no connections', shareBefore, '% of a core'),
      figure('processor time of the front end', SUBJECT, share, '% of a core', BAR),
      figure('memory of the front end for each', SUBJECT, kib, 'KiB'),
    ]);
  } finally {
    for (const socket of sockets) socket.destroy();
    await store.stop();
  }
};

const SUBJECT = `${CONNECTIONS.toLocaleString('en')} idle connections`;

function figure(name: string, subject: string, value: number, unit: string, bar?: Bar): Measured<Figure> {
  return figureOf({ case: name, subject, unit, better: 'lower', rounds: [value], bar });
}

async function coreShare(pids: readonly number[], seconds: number): Promise<number> {
  await delay(SETTLE_SECONDS * MS_PER_S);
  const before = cpuSeconds(pids);
  const startMs = performance.now();
  await delay(seconds * MS_PER_S);
  return ((cpuSeconds(pids) - before) / ((performance.now() - startMs) / MS_PER_S)) * PERCENT;
}

/** Opens the connections, a few at a time, and has an answer on each. */
async function openAll({ host, port }: Target, sockets: Socket[]): Promise<void> {
  const open = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host, port }, () => socket.write(REQUEST));
      sockets.push(socket);
      socket.once('data', () => resolve());
      socket.on('error', reject);
    });
  while (sockets.length < CONNECTIONS) await Promise.all(Array.from({ length: OPENED_TOGETHER }, open));
}
