// worker-thread.ts: one worker thread, from the pool's side: starting it, its channel, its messages, and its end,
// expected or not.

import type { Socket } from 'node:net';
import type { RecordableHistogram } from 'node:perf_hooks';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { Deferred } from '../deferred.js';
import { NEEDED_TO_START, shortageBehind } from './descriptor-limit.js';
import { type HandoffSender, NativeHandoffSender, type SendOutcome } from './handoff.js';
import { IpcHandoffSender, IpcRendezvous } from './ipc-handoff.js';
import type { FromThread, ThreadStart, ToThread } from './messages.js';
import { PoolError } from './pool-error.js';
import type { SettledOptions } from './pool-options.js';
import type { PoolThread, ThreadExitReason, ThreadListener, ThreadState } from './pool-thread.js';
import { SessionLedger } from './session-counters.js';
import type {} from './worker-entry.js';

/** Loaded by URL alone; the empty type import above makes whoever compiles this file compile that one too. */
const WORKER_ENTRY = new URL('./worker-entry.js', import.meta.url);

export class WorkerThread implements PoolThread {
  readonly threadIndex: number;
  readonly threadId: number;
  readonly isAcceptor = false;
  readonly port: MessagePort;
  readonly ledger = new SessionLedger();
  readonly #worker: Worker;
  readonly #listener: ThreadListener;
  readonly #rendezvous: IpcRendezvous | undefined;
  readonly #ready = new Deferred<void>();
  readonly #exited = new Deferred<void>();
  #sender: HandoffSender | undefined;
  #state: ThreadState = 'starting';
  #exitReason: ThreadExitReason = 'failed';
  #error: Error | undefined;

  constructor(
    threadIndex: number,
    options: SettledOptions,
    way: 'native' | 'ipc',
    waitTime: RecordableHistogram,
    listener: ThreadListener,
  ) {
    this.threadIndex = threadIndex;
    this.#listener = listener;
    this.#rendezvous = way === 'ipc' ? new IpcRendezvous() : undefined;
    const { port1: ownersPort, port2: servicePort } = new MessageChannel();
    this.port = ownersPort;
    const start: ThreadStart = {
      moduleUrl: options.module.href,
      threadIndex,
      data: options.data,
      port: servicePort,
      counters: this.ledger.words,
      waitTime,
      channelPath: this.#rendezvous?.path,
      allowHalfOpen: options.allowHalfOpen,
    };
    this.#worker = new Worker(WORKER_ENTRY, {
      workerData: start,
      transferList: [servicePort],
      name: `${options.name}-${threadIndex}`,
    });
    this.threadId = this.#worker.threadId;
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error: unknown) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
    });
    this.#worker.on('exit', () => void this.#exit());
    // start() is where the failure is reported; nobody need be waiting for it.
    this.#ready.promise.catch(() => {});
  }

  get state(): ThreadState {
    return this.#state;
  }

  start(): Promise<void> {
    return this.#ready.promise;
  }

  send(socket: Socket, acceptedAtUs: number): SendOutcome {
    const outcome = this.#sender?.send(socket, acceptedAtUs) ?? 'thread-gone';
    if (outcome === 'sent') this.ledger.countSent();
    // Its 'exit' is on its way, or will be: a thread without a channel is of no use.
    if (outcome === 'thread-gone' && this.#state === 'ready') {
      this.#state = 'draining';
      void this.#worker.terminate();
    }
    return outcome;
  }

  setPressure(connectionsWait: boolean): void {
    this.#tell({ kind: 'pressure', connectionsWait });
  }

  drain(reason: 'retired' | 'drained'): Promise<void> {
    if (this.#state === 'starting') return this.terminate();
    if (this.#state === 'ready') {
      this.#state = 'draining';
      this.#exitReason = reason;
      this.#tell({ kind: 'drain', sent: this.ledger.sent });
    }
    return this.#exited.promise;
  }

  async terminate(): Promise<void> {
    if (this.#state !== 'dead') {
      this.#exitReason = 'terminated';
      await this.#worker.terminate();
    }
    return this.#exited.promise;
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case 'ready':
        void this.#becomeReady();
        break;
      case 'place-free':
        this.#listener.onPlaceFree();
        break;
      case 'drained':
        void this.#worker.terminate();
        break;
    }
  }

  async #becomeReady(): Promise<void> {
    if (this.#rendezvous === undefined) {
      this.#sender = new NativeHandoffSender(this.#worker);
    } else {
      try {
        const channel = await this.#rendezvous.channelInTime();
        this.#sender = new IpcHandoffSender(channel, (socket, acceptedAtUs) => this.#takeBack(socket, acceptedAtUs));
      } catch (error) {
        this.#error = error as Error;
        await this.#worker.terminate();
        return;
      }
      this.#rendezvous.close();
    }
    if (this.#state !== 'starting') return;
    this.#state = 'ready';
    this.#ready.resolve();
  }

  #takeBack(socket: Socket, acceptedAtUs: number): void {
    this.ledger.takeBack();
    // The thread may be waiting for this very socket before it drains.
    if (this.#state === 'draining') this.#tell({ kind: 'drain', sent: this.ledger.sent });
    this.#listener.onReturned(socket, acceptedAtUs);
  }

  async #exit(): Promise<void> {
    const wasStarting = this.#state === 'starting';
    this.#state = 'dead';
    if (wasStarting) this.#rendezvous?.abandon();
    this.port.close();
    // Sockets that had not left are returned first: they are not lost with it.
    await this.#sender?.close();
    if (wasStarting) this.#ready.reject(startError(this.threadIndex, this.#error));
    this.#exited.resolve();
    this.#listener.onExit(this, {
      threadIndex: this.threadIndex,
      threadId: this.threadId,
      reason: this.#exitReason,
      error: this.#error,
      connectionsLost: this.ledger.sessions,
    });
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}

/** Why a thread could not start, from what it failed with. */
export function startError(threadIndex: number, error: Error | undefined): PoolError {
  const cause = error === undefined ? undefined : { cause: error };
  const shortage = shortageBehind(error, NEEDED_TO_START);
  if (shortage !== undefined) {
    return new PoolError('NO_DESCRIPTORS', `thread ${threadIndex} cannot start: ${shortage}`, cause);
  }
  if (error instanceof PoolError) return error;
  return new PoolError('THREAD_FAILED', `thread ${threadIndex} ended before it was ready`, cause);
}
