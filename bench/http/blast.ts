// blast.ts: as many requests as a server will answer, from a thread of its own, for as long as it is told.
//
// The store's load generator checks bodies and keeps histograms, and then is itself the slower half of a comparison with
// the floor. Here one answer is checked in full and the rest are counted, so that the servers are the slower half.

import { parentPort, workerData } from 'node:worker_threads';
import { RawConnection } from '../load/raw-connection.js';
import { BODY, TARGET } from './answer.js';

/** What a blast is told. */
export interface BlastJob {
  readonly port: number;
  readonly connections: number;
  /** Requests sent together; the next ones when all are answered. */
  readonly depth: number;
  readonly durationMs: number;
}

const MS_PER_S = 1000;

const { port, connections, depth, durationMs } = workerData as BlastJob;
const request = `GET ${TARGET} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
const requests = Buffer.from(request.repeat(depth)).toString('latin1'); // flat
let answered = 0;

const opened = await Promise.all(Array.from({ length: connections }, open));
const startMs = performance.now();
for (const connection of opened) connection.send(requests);
setTimeout(() => {
  const seconds = (performance.now() - startMs) / MS_PER_S;
  for (const connection of opened) connection.close();
  parentPort!.postMessage({ answered, seconds });
}, durationMs);

async function open(): Promise<RawConnection> {
  let left = depth;
  const connection = await RawConnection.open('127.0.0.1', port, {
    onAnswer: (status, bytes, bodyStart, bodyEnd) => {
      if (answered === 0) check(status, bytes.toString('latin1', bodyStart, bodyEnd));
      answered += 1;
      left -= 1;
      if (left > 0) return;
      left = depth;
      connection.send(requests);
    },
    onClose: (reason) => {
      throw new Error(reason);
    },
  });
  return connection;
}

function check(status: number, body: string): void {
  if (status !== 200 || body !== BODY) throw new Error(`answered ${status} ${body}`);
}
