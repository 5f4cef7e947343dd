// native-handoff.ts: the socket itself is transferred with postMessage. Node.js takes the handle out of the sender's
// net.Socket, destroys that (its 'close' event fires) and makes a new one around the handle in the thread.
//
// The one trap: posting to a thread that has ended throws nothing. The message is dropped and the socket stays whole,
// so `destroyed` afterwards tells whether it left.

import type { Socket } from 'node:net';
import type { Worker } from 'node:worker_threads';
import type { HandoffSender, SendOutcome } from './handoff.js';
import type { ToThread } from './messages.js';

/** Sends by transfer, over the same port as all messages of the pool: what is posted later arrives later. */
export class NativeHandoffSender implements HandoffSender {
  readonly #worker: Worker;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  send(socket: Socket, acceptedAtUs: number): SendOutcome {
    const message: ToThread = { kind: 'socket', socket, acceptedAtUs };
    try {
      this.#worker.postMessage(message, [socket as never]);
    } catch {
      return 'socket-gone';
    }
    return socket.destroyed ? 'sent' : 'thread-gone';
  }

  close(): Promise<void> {
    // The port belongs to the worker and goes with it.
    return Promise.resolve();
  }
}
