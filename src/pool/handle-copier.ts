// handle-copier.ts: a second descriptor for what a handle is open on. Node.js has no dup(); but the kernel duplicates
// each descriptor that is sent over a Unix-domain pipe, and nothing says that sender and receiver must be two.
//
//   handle ─ fd 18 ──sendmsg(fd 18)──► kernel ──recvmsg──► fd 25 ─ copy
//
// As in ipc-handoff.ts each of the two owns its descriptor, and closes only that.

import { connectChannel, IpcRendezvous } from './ipc-handoff.js';
import { PoolError } from './pool-error.js';
import { type RawHandle, type RawPipe, WriteWrap } from './raw-pipe.js';

export class HandleCopier {
  readonly #sendingEnd: RawPipe;
  readonly #receivingEnd: RawPipe;
  /** Ends the copy that is under way. */
  #failCopy = () => {};

  private constructor(sendingEnd: RawPipe, receivingEnd: RawPipe) {
    this.#sendingEnd = sendingEnd;
    this.#receivingEnd = receivingEnd;
    for (const end of [sendingEnd, receivingEnd]) end.unref();
    receivingEnd.readStart();
  }

  /** Rejects with PoolError HANDOFF_FAILED, or with the system's error. */
  static async create(): Promise<HandleCopier> {
    const rendezvous = new IpcRendezvous();
    try {
      const [sendingEnd, receivingEnd] = await Promise.all([rendezvous.channel, connectChannel(rendezvous.path)]);
      return new HandleCopier(sendingEnd, receivingEnd);
    } finally {
      rendezvous.close();
    }
  }

  /**
   * One copy at a time. Rejects with PoolError HANDOFF_FAILED, for example when there is no descriptor left for it.
   */
  copy(handle: RawHandle): Promise<RawHandle> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new PoolError('HANDOFF_FAILED', 'the handle could not be copied'));
      this.#failCopy = fail;
      this.#receivingEnd.onread = () => {
        const copy = this.#receivingEnd.pendingHandle;
        this.#receivingEnd.pendingHandle = undefined;
        if (copy === undefined) fail();
        else resolve(copy);
      };
      const request = new WriteWrap();
      request.oncomplete = (status) => {
        if (status !== 0) fail();
      };
      if (this.#sendingEnd.writeUtf8String(request, '.', handle) !== 0) fail();
    });
  }

  /** A copy that is under way fails. */
  close(): void {
    this.#sendingEnd.close();
    this.#receivingEnd.close();
    this.#failCopy();
  }
}
