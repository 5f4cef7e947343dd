// handoff.ts: what moving an accepted socket to another thread promises. Two ways keep the promise: the native one, below
// (Node.js transfers the socket itself: 24.20 and later 24.x, 26.6 and later), and ipc-handoff.ts (the descriptor
// travels as an SCM_RIGHTS message over a Unix-domain pipe: everywhere else). The pool and the services cannot tell
// which one is at work.
//
//   the socket's owner       accepting thread ──send()──► on its way ──arrives──► thread
//   send() says 'sent'                                    ▲ nobody's    the service's, until it closes
//   send() says else         still the caller's           │
//   onReturned(socket)       the caller's again ──────────┘ (the channel broke before the socket left)
//
// A socket on its way when its thread dies is lost with the thread: the kernel closes it, the client sees a reset,
// and the pool counts it. Sending a descriptor number instead, and opening it twice, gives two owners who both close
// it: never.

import { Socket } from 'node:net';
import { MessageChannel, type Worker } from 'node:worker_threads';
import type { ToThread } from './messages.js';
import { PoolError } from './pool-error.js';

/** How sockets reach the threads. 'inline' is the accepting thread serving them itself. */
export type HandoffWay = 'native' | 'ipc' | 'inline';

/** What came of sending a socket. Only after 'sent' is it no longer the caller's. */
export type SendOutcome =
  | 'sent'
  /** The thread has ended, or its channel is broken: it will never take a socket again. */
  | 'thread-gone'
  /** The kernel has no room for it at the moment (too many descriptors on their way, no buffers). */
  | 'try-later'
  /** The socket itself cannot be sent: it is closed, or has been read from. */
  | 'socket-gone';

/** The accepting thread's end. */
export interface HandoffSender {
  /**
   * Moves a paused, never read socket to the thread.
   * @param acceptedAtUs when it was accepted, on the clock of monotonicUs()
   */
  send(socket: Socket, acceptedAtUs: number): SendOutcome;
  /**
   * Lets go of the channel; nothing may be sent after it. Resolves when it is known of each socket whether it left:
   * those that did not have been returned by then.
   */
  close(): Promise<void>;
}

/** Takes a socket that was sent, and whose sending failed later on. */
export type OnReturned = (socket: Socket, acceptedAtUs: number) => void;

/** Takes what arrives in the thread: the socket, or undefined if its descriptor was lost on the way. */
export type OnArrival = (socket: Socket | undefined, acceptedAtUs: number) => void;

/** True where this Node.js transfers net.Socket between threads. Asked of the runtime itself, not of its version. */
export function hasNativeHandoff(): boolean {
  const { port1 } = new MessageChannel();
  const unconnected = new Socket();
  try {
    port1.postMessage(unconnected, [unconnected as never]);
    return true;
  } catch (error) {
    // Where sockets transfer, one without a connection is refused for its state; elsewhere for its class.
    return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_HANDLE_NOT_TRANSFERABLE';
  } finally {
    unconnected.destroy();
    port1.close();
  }
}

/** Settles the option `handoff`. Throws PoolError HANDOFF_UNSUPPORTED if 'native' is asked for and missing. */
export function chooseHandoff(wanted: 'auto' | 'native' | 'ipc'): 'native' | 'ipc' {
  if (wanted === 'ipc') return 'ipc';
  if (hasNativeHandoff()) return 'native';
  if (wanted === 'auto') return 'ipc';
  throw new PoolError(
    'HANDOFF_UNSUPPORTED',
    `Node.js ${process.version} cannot transfer sockets; use handoff 'ipc' or 'auto'`,
  );
}

/**
 * Transfers the socket itself, over the same port as all messages of the pool: what is posted later arrives later. Node.js
 * takes the handle out of the sender's net.Socket, destroys that (its 'close' event fires) and makes a new one around the
 * handle in the thread.
 *
 * The one trap: posting to a thread that has ended throws nothing. The message is dropped and the socket stays whole, so
 * `destroyed` afterwards tells whether it left.
 */
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
