// handle-copier.ts: a second descriptor for what a handle is open on. Node.js has no dup(); but the kernel duplicates
// each descriptor that is sent over a Unix-domain pipe, and nothing says that sender and receiver must be two.
//
//   handle ─ fd 18 ──sendmsg(fd 18)──► kernel ──recvmsg──► fd 25 ─ copy
//
// As in ipc-handoff.ts each of the two owns its descriptor, and closes only that.

import { constants } from 'node:os';
import type { NodeHandle } from '../node-internals.js';
import { connectChannel, IpcRendezvous } from './ipc-handoff.js';
import { PoolError } from './pool-error.js';
import { nameOf, type RawPipe, WriteWrap } from './raw-pipe.js';

/** Rejects with PoolError HANDOFF_FAILED, for example when there is no descriptor left for it. */
export async function copyHandle(handle: NodeHandle): Promise<NodeHandle> {
  const rendezvous = new IpcRendezvous();
  const ends = await Promise.all([rendezvous.channelInTime(), connectChannel(rendezvous.path)]).finally(() =>
    rendezvous.close(),
  );
  try {
    return await sendAcross(handle, ...ends);
  } finally {
    for (const end of ends) end.close();
  }
}

function sendAcross(handle: NodeHandle, sender: RawPipe, receiver: RawPipe): Promise<NodeHandle> {
  return new Promise((resolve, reject) => {
    const fail = (status: number) =>
      reject(new PoolError('HANDOFF_FAILED', `the listening socket could not be copied: ${nameOf(status)}`));
    receiver.onread = () => {
      const copy = receiver.pendingHandle;
      receiver.pendingHandle = undefined;
      if (copy === undefined) fail(-constants.errno.EMFILE);
      else resolve(copy);
    };
    receiver.readStart();
    const request = new WriteWrap();
    request.oncomplete = (status) => {
      if (status !== 0) fail(status);
    };
    const status = sender.writeUtf8String(request, '.', handle);
    if (status !== 0) fail(status);
  });
}
