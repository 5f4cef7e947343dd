// blast.ts: as many requests as a server will answer, from a thread of its own, for as long as it is told.
//
// The store's load generator checks bodies and keeps histograms, and then is itself the slower half of a comparison with
// the floor. Here one answer is checked in full and the rest are counted by their length, and sockets are read and written
// without Node's streams, so that the servers are the slower half.
import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { rawSocket } from '../../src/http/server/raw-socket.js';
import { type SocketUser, StreamSocket } from '../../src/http/server/session-socket.js';
import { BODY, TARGET } from './answer.js';

/** What a blast is told. */
export interface BlastJob {
  readonly port: number;
  readonly connections: number;
  /** Requests sent together; the next ones when all are answered. */
  readonly depth: number;
  readonly durationMs: number;
}

const REQUEST = `GET ${TARGET} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
const NS_PER_S = 1e9;

const job = workerData as BlastJob;
const first = connect(job.port, '127.0.0.1', () => first.write(REQUEST));
first.once('data', (answer) => {
  const text = answer.toString('latin1');
  if (!text.startsWith('HTTP/1.1 200 ') || !text.endsWith(`\r\n\r\n${BODY}`)) throw new Error(`answered ${text}`);
  first.destroy();
  blast(answer.length);
});

function blast(answerBytes: number): void {
  const requests = Buffer.from(REQUEST.repeat(job.depth)).toString('latin1'); // flat
  const roundBytes = answerBytes * job.depth;
  let answered = 0;
  const sockets = Array.from({ length: job.connections }, () => {
    const socket = connect(job.port, '127.0.0.1', () => {
      let received = 0;
      const user: SocketUser = {
        received: (_bytes, length) => {
          received += length;
          if (received < roundBytes) return;
          if (received > roundBytes) throw new Error('more bytes than were asked for');
          received = 0;
          answered += job.depth;
          end.write(requests);
        },
        drained: () => {},
        peerDone: () => {},
        closed: () => {},
      };
      const end = rawSocket(socket, user) ?? new StreamSocket(socket, user);
      end.resume();
      end.write(requests);
    });
    return socket;
  });
  const startedAt = process.hrtime.bigint();
  setTimeout(() => {
    const seconds = Number(process.hrtime.bigint() - startedAt) / NS_PER_S;
    for (const socket of sockets) socket.destroy();
    parentPort!.postMessage({ answered, seconds });
  }, job.durationMs);
}
