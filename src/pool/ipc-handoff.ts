// ipc-handoff.ts: a descriptor is passed to another thread of this process as if it were another process: as an
// SCM_RIGHTS message over a Unix-domain pipe. The kernel duplicates it, so each side owns a descriptor of its own and
// closes only that.
//
//   accepting thread                                        worker thread
//   socket ─ handle ─ fd 21 ──sendmsg(fd 21)──► kernel ──recvmsg──► fd 22 ─ handle ─ net.Socket
//   closes fd 21 once the send is done                       reads, writes and closes fd 22
//
// One message is 16 digits, the time of the accept in microseconds, and exactly one descriptor. On Linux a read never
// runs across a descriptor's message, so each read brings one message. Closing fd 21 sends no FIN: fd 22 keeps the
// connection.
//
// Making the pair: the pool listens at a path in a private directory (socket-place.ts), the worker connects, the path is
// removed at once. Only the connecting end can be born as an IPC pipe; the accepted end is a plain one, whose descriptor a
// second handle of type IPC opens. That one exception to "one owner per descriptor" lives in the accepting thread,
// and only the IPC handle is ever closed: closing both would close the number a second time, when it may long belong
// to somebody else. The plain handle stays behind, unused and unreferenced, about 300 bytes for each thread that was
// ever started. (Node.js closes it when the accepting thread itself ends: that should be the process's main thread.)

import { Socket } from 'node:net';
import { constants } from 'node:os';
import { Deferred } from '../deferred.js';
import { handleOf, type NodeHandle } from '../node-internals.js';
import type { HandoffSender, OnArrival, OnReturned, SendOutcome } from './handoff.js';
import { PoolError } from './pool-error.js';
import {
  isLastWriteAsync,
  nameOf,
  PIPE_IPC,
  Pipe,
  PipeConnectWrap,
  type RawPipe,
  readBytesOrError,
  readOffset,
  WriteWrap,
} from './raw-pipe.js';
import { listenInPrivate, type PrivateListener } from './socket-place.js';

/** Length of a message: enough digits for the microseconds of 300 years of uptime, and still a safe integer. */
const MESSAGE_BYTES = 16;

/**
 * How long a connection that has been made may take to be accepted: without a descriptor for it, libuv closes it and says
 * nothing. It takes less than a millisecond, but the accepting thread may be busy.
 */
const ACCEPT_TIMEOUT_MS = 2_000;

/** What a write says when nobody reads the channel any more. */
const THREAD_GONE_STATUS = new Set([-constants.errno.EPIPE, -constants.errno.ECONNRESET, -constants.errno.EBADF]);

/** The plain handles of accepted channel ends, kept so that nothing ever collects or closes them (see the header). */
const retainedHandles: NodeHandle[] = [];

/** The pool's end of the rendezvous: waits for one worker's channel. */
export class IpcRendezvous {
  readonly #listener: PrivateListener;
  /** The channel, once the worker has connected. */
  readonly channel: Promise<RawPipe>;

  /** Throws PoolError HANDOFF_FAILED where no directory can hold the socket. */
  constructor() {
    const listener = listenInPrivate();
    this.#listener = listener;
    this.channel = new Promise((resolve, reject) => {
      const fail = (what: string, status: number) =>
        reject(new PoolError('HANDOFF_FAILED', `${what} at ${listener.path}: ${nameOf(status)}`));
      listener.pipe.onconnection = (status, plain) => {
        if (status !== 0 || plain === undefined) return fail('cannot accept the channel', status);
        retainedHandles.push(plain);
        plain.unref();
        const channel = new Pipe(PIPE_IPC);
        const opened = channel.open(plain.fd);
        if (opened !== 0) return fail('cannot open the channel', opened);
        resolve(channel);
      };
    });
    // Whoever waits hears of it; until somebody does, it is not an unhandled rejection.
    this.channel.catch(() => {});
  }

  /** Where the worker connects. */
  get path(): string {
    return this.#listener.path;
  }

  /** The channel of a worker that has connected. Rejects with HANDOFF_FAILED where it cannot be accepted. */
  async channelInTime(): Promise<RawPipe> {
    const late = new Deferred<never>();
    const error = new PoolError('HANDOFF_FAILED', `no channel could be accepted at ${this.path}`);
    const timer = setTimeout(() => late.reject(error), ACCEPT_TIMEOUT_MS);
    try {
      return await Promise.race([this.channel, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Removes the path. The channel, if there is one, lives on. */
  close(): void {
    this.#listener.close();
  }

  /** Gives up a worker that will never be ready: removes the path, and closes the channel if it had connected. */
  abandon(): void {
    this.close();
    this.channel.then(
      (channel) => channel.close(),
      () => {}, // it never connected
    );
  }
}

/** The accepting thread's end of a channel. */
export class IpcHandoffSender implements HandoffSender {
  readonly #channel: RawPipe;
  readonly #onReturned: OnReturned;
  readonly #settled = new Deferred<void>();
  /** Messages that libuv still holds, or has not told us the end of. */
  #unsettled = 0;
  #isClosed = false;

  constructor(channel: RawPipe, onReturned: OnReturned) {
    this.#channel = channel;
    this.#onReturned = onReturned;
    channel.unref();
  }

  send(socket: Socket, acceptedAtUs: number): SendOutcome {
    const handle = handleOf(socket);
    if (handle === null) return 'socket-gone';
    if (this.#isClosed) return 'thread-gone';
    const request = new WriteWrap();
    const status = this.#channel.writeUtf8String(request, String(acceptedAtUs).padStart(MESSAGE_BYTES, '0'), handle);
    if (status !== 0) return THREAD_GONE_STATUS.has(status) ? 'thread-gone' : 'try-later';
    if (isLastWriteAsync()) {
      // libuv may have queued the message, with our descriptor's number, until a full channel has room again: the
      // descriptor must stay open till then.
      this.#unsettled += 1;
      request.oncomplete = (finalStatus) => {
        this.#unsettled -= 1;
        if (finalStatus === 0) socket.destroy();
        else this.#onReturned(socket, acceptedAtUs);
        if (this.#isClosed && this.#unsettled === 0) this.#settled.resolve();
      };
    } else {
      socket.destroy();
    }
    return 'sent';
  }

  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      // What is still queued ends with ECANCELED, and is returned.
      this.#channel.close();
      if (this.#unsettled === 0) this.#settled.resolve();
    }
    return this.#settled.promise;
  }
}

/** Connects a worker to its rendezvous and reports each socket that arrives. Rejects with PoolError HANDOFF_FAILED. */
export async function receiveByIpc(path: string, allowHalfOpen: boolean, onArrival: OnArrival): Promise<void> {
  const channel = await connectChannel(path);
  channel.onread = (bytes) => {
    const arrived = channel.pendingHandle;
    channel.pendingHandle = undefined;
    const length = readBytesOrError();
    if (length <= 0 || bytes === undefined) {
      channel.close();
      // The pool lets go only of threads that have ended. Without a channel this one is of no use.
      throw new PoolError('HANDOFF_FAILED', `the channel to this thread broke: ${nameOf(length)}`);
    }
    const text = Buffer.from(bytes, readOffset(), length).toString('latin1');
    for (let start = 0; start < length; start += MESSAGE_BYTES) {
      const acceptedAtUs = Number(text.slice(start, start + MESSAGE_BYTES));
      // Without a descriptor the kernel could not make one: the table of this process is full. Such a message need not
      // end a read, so several may come together; one with a descriptor is always the last of its read.
      const isLast = start + MESSAGE_BYTES >= length;
      onArrival(isLast && arrived ? wrapSocket(arrived, allowHalfOpen) : undefined, acceptedAtUs);
    }
  };
  channel.readStart();
}

/** The connecting end of a channel. Rejects with PoolError HANDOFF_FAILED. */
export function connectChannel(path: string): Promise<RawPipe> {
  const channel = new Pipe(PIPE_IPC);
  return new Promise((resolve, reject) => {
    const request = new PipeConnectWrap();
    const settle = (status: number) => {
      if (status === 0) resolve(channel);
      else reject(new PoolError('HANDOFF_FAILED', `cannot connect to ${path}: ${nameOf(status)}`));
    };
    request.oncomplete = settle;
    const status = channel.connect(request, path);
    if (status !== 0) settle(status);
  });
}

function wrapSocket(handle: NodeHandle, allowHalfOpen: boolean): Socket {
  // `handle` and `pauseOnCreate` are what net.Server itself passes for option pauseOnConnect; the public types leave
  // them out.
  const options = { handle, allowHalfOpen, pauseOnCreate: true, readable: true, writable: true };
  return new Socket(options as ConstructorParameters<typeof Socket>[0]);
}
