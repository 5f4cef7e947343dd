// worker-entry.ts: what a worker thread of the pool runs first. It loads the service's module, makes the service, opens
// the way by which sockets come, says 'ready', and from then on only passes on what arrives. An error anywhere here, or
// uncaught in the service, ends the thread; the pool sees it and starts another.

import type { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicUs } from '../clock.js';
import { receiveByIpc } from './ipc-handoff.js';
import type { FromThread, ThreadStart, ToThread } from './messages.js';
import { SessionCounter } from './session-counters.js';
import type { ThreadModule, ThreadService } from './thread-service.js';

const start = workerData as ThreadStart;
const pool = parentPort!;
const counter = new SessionCounter(start.counters, () => tell({ kind: 'place-free' }));
/** Set by 'drain': how many sockets must have arrived before the service may drain. */
let awaitedArrivals: number | undefined;

const { createThreadService } = (await import(start.moduleUrl)) as ThreadModule;
const service = await createThreadService({
  threadIndex: start.threadIndex,
  data: start.data,
  port: start.port,
  freePlace: (socket) => counter.freePlace(socket),
});

pool.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'socket':
      message.socket.allowHalfOpen = start.allowHalfOpen;
      message.socket.pause();
      arrive(message.socket, message.acceptedAtUs);
      break;
    case 'pressure':
      service.setPressure?.(message.connectionsWait);
      break;
    case 'drain':
      awaitedArrivals = message.sent;
      drainIfAllArrived();
      break;
  }
});
if (start.channelPath !== undefined) await receiveByIpc(start.channelPath, start.allowHalfOpen, arrive);
tell({ kind: 'ready' });

function arrive(socket: Socket | undefined, acceptedAtUs: number): void {
  // A histogram takes whole numbers from 1.
  start.waitTime.record(Math.max(1, monotonicUs() - acceptedAtUs));
  if (socket === undefined) {
    counter.countLost();
  } else {
    counter.countUntilClosed(socket);
    service.serve(socket);
  }
  drainIfAllArrived();
}

function drainIfAllArrived(): void {
  if (awaitedArrivals === undefined || counter.arrived !== awaitedArrivals) return;
  awaitedArrivals = undefined;
  void finish(service);
}

/** A rejection here is an uncaught error of the thread, which is what it should be. */
async function finish(service: ThreadService): Promise<void> {
  await service.drain();
  await service.close?.();
  tell({ kind: 'drained' });
}

function tell(message: FromThread): void {
  pool.postMessage(message);
}
