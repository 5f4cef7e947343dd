// inline-thread.ts: the accepting thread as one that serves, in the same terms as a worker: alone in a pool without
// threads, where a profiler or debugger then sees all of the code on one thread, or as the first of several, where the
// service's state lives on it.

import type { Socket } from 'node:net';
import type { RecordableHistogram } from 'node:perf_hooks';
import { MessageChannel, type MessagePort, threadId } from 'node:worker_threads';
import { monotonicUs } from '../clock.js';
import { Deferred } from '../deferred.js';
import { joinPorts } from '../port-calls.js';
import type { SendOutcome } from './handoff.js';
import { PoolError } from './pool-error.js';
import type { SettledOptions } from './pool-options.js';
import type { PoolThread, ThreadListener, ThreadState } from './pool-thread.js';
import { SessionCounter, SessionLedger } from './session-counters.js';
import type { ThreadModule, ThreadService } from './thread-service.js';

export class InlineThread implements PoolThread {
  readonly threadIndex = 0;
  readonly threadId = threadId;
  readonly isAcceptor = true;
  readonly port: MessagePort;
  readonly ledger = new SessionLedger();
  readonly #servicePort: MessagePort;
  readonly #options: SettledOptions;
  readonly #waitTime: RecordableHistogram;
  readonly #listener: ThreadListener;
  readonly #counter = new SessionCounter(this.ledger.words, () => this.#listener.onPlaceFree());
  readonly #sockets = new Set<Socket>();
  readonly #exited = new Deferred<void>();
  #service: ThreadService | undefined;
  #state: ThreadState = 'starting';

  constructor(options: SettledOptions, waitTime: RecordableHistogram, listener: ThreadListener) {
    this.#options = options;
    this.#waitTime = waitTime;
    this.#listener = listener;
    const { port1, port2 } = new MessageChannel();
    joinPorts(port1, port2);
    this.port = port1;
    this.#servicePort = port2;
  }

  get state(): ThreadState {
    return this.#state;
  }

  async start(): Promise<void> {
    try {
      const { createThreadService } = (await import(this.#options.module.href)) as ThreadModule;
      const service = await createThreadService({
        threadIndex: 0,
        // A clone, as a worker would get it: a service must not come to depend on sharing objects with its owner.
        data: structuredClone(this.#options.data),
        port: this.#servicePort,
        freePlace: (socket) => this.#counter.freePlace(socket),
      });
      if (this.state === 'dead') {
        await service.close?.();
        throw new Error('the pool was closed meanwhile');
      }
      this.#service = service;
      this.#state = 'ready';
    } catch (error) {
      this.#end('failed', error as Error);
      throw new PoolError('THREAD_FAILED', 'the service could not be started on the accepting thread', {
        cause: error,
      });
    }
  }

  send(socket: Socket, acceptedAtUs: number): SendOutcome {
    if (socket.destroyed) return 'socket-gone';
    if (this.#service === undefined) return 'thread-gone';
    this.ledger.countSent();
    this.#waitTime.record(Math.max(1, monotonicUs() - acceptedAtUs));
    this.#counter.countUntilClosed(socket);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#service.serve(socket);
    return 'sent';
  }

  setPressure(connectionsWait: boolean): void {
    this.#service?.setPressure?.(connectionsWait);
  }

  drain(): Promise<void> {
    if (this.#state === 'starting') return this.terminate();
    if (this.#state === 'ready') {
      this.#state = 'draining';
      void this.#finish();
    }
    return this.#exited.promise;
  }

  async terminate(): Promise<void> {
    if (this.#state === 'dead') return;
    // Its end first: a drain that is still under way then finds that there is nothing left to do.
    this.#end('terminated');
    for (const socket of this.#sockets) socket.destroy();
    await this.#service?.close?.();
  }

  async #finish(): Promise<void> {
    await this.#service?.drain();
    if (this.state === 'dead') return;
    await this.#service?.close?.();
    this.#end('drained');
  }

  #end(reason: 'drained' | 'terminated' | 'failed', error?: Error): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.port.close();
    this.#exited.resolve();
    this.#listener.onExit(this, {
      threadIndex: 0,
      threadId: this.threadId,
      reason,
      error,
      connectionsLost: this.ledger.sessions,
    });
  }
}
