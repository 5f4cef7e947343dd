// node-internals.ts: the door to what is inside Node.js and no documented API. Node's own JavaScript (net.Socket,
// child_process, cluster) talks to handles by these names, which is why they have kept their shape from Node.js 20 to 26.
// Which of them are used, and what for, stands where they are used: src/pool/raw-pipe.ts,
// src/http/server/raw-socket.ts, src/tls/tls-terminator.ts.
//
// process.binding() is deprecated without a replacement (DEP0111). It warns only under --pending-deprecation; the flag
// below keeps it quiet there too, since the reader of the warning could do nothing about it.

import type { Server, Socket } from 'node:net';

/** A libuv handle as JavaScript sees it. */
export interface NodeHandle {
  readonly fd: number;
  close(onClosed?: () => void): void;
  ref(): void;
  unref(): void;
}

/** What every stream handle needs: requests to write, and where calls and callbacks leave their results. */
export interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  /** Results of the call or callback at hand, at the places below. */
  readonly streamBaseState: Int32Array;
  /** Inside `onread`: how many bytes came, or a negative errno (UV_EOF when the peer has closed). */
  readonly kReadBytesOrError: number;
  /** Inside `onread`: where in the buffer the bytes begin. */
  readonly kArrayBufferOffset: number;
  /** Whether the last write is still under way; if not, it is done and its `oncomplete` is never called. */
  readonly kLastWriteWasAsync: number;
}

export interface WriteRequest {
  oncomplete?: (status: number) => void;
}

/** One of Node's inner modules, such as `stream_wrap`; throws where this Node.js has none of that name. */
export function nodeBinding(name: string): unknown {
  const { binding } = process as unknown as { binding(name: string): unknown };
  const settings = process as { noDeprecation?: boolean };
  const before = settings.noDeprecation;
  settings.noDeprecation = true;
  try {
    return binding.call(process, name);
  } finally {
    if (before === undefined) delete settings.noDeprecation;
    else settings.noDeprecation = before;
  }
}

/** The handle inside a socket or a server; null once that is closed. */
export function handleOf(owner: Socket | Server): NodeHandle | null {
  return (owner as unknown as { _handle: NodeHandle | null })._handle;
}

/** The socket that was accepted: the one inside of one that encrypts it, any other itself. */
export function acceptedSocketOf(socket: Socket): Socket {
  return (socket as unknown as { _parent: Socket | null })._parent ?? socket;
}
