// raw-pipe.ts: the few names of Node's inner pipe binding that passing a descriptor needs. They are not documented
// API; the same calls carry child_process.fork() and node:cluster, which is why they have kept their shape from
// Node.js 20 to 26. All knowledge of them is in this file and ipc-handoff.ts.
//
// process.binding() is deprecated without a replacement (DEP0111). It warns only under --pending-deprecation; the flag
// below keeps it quiet there too, since the reader of the warning could do nothing about it.

import type { Server, Socket } from 'node:net';

/** A libuv handle as JavaScript sees it. */
export interface RawHandle {
  readonly fd: number;
  close(onClosed?: () => void): void;
  ref(): void;
  unref(): void;
}

/** A pipe handle. Calls return 0 or a negative errno. */
export interface RawPipe extends RawHandle {
  /** The handle that came with the bytes being read, if one did; the reader takes it and sets undefined. */
  pendingHandle?: RawHandle | undefined;
  onread?: (bytes: ArrayBuffer | undefined) => void;
  /** On a listening pipe: a peer has connected. */
  onconnection?: (status: number, client: RawPipe | undefined) => void;
  bind(path: string): number;
  listen(backlog: number): number;
  connect(request: ConnectRequest, path: string): number;
  open(fd: number): number;
  readStart(): number;
  writeUtf8String(request: WriteRequest, text: string, handle: RawHandle): number;
}

export interface ConnectRequest {
  oncomplete?: (status: number) => void;
}

export interface WriteRequest {
  oncomplete?: (status: number) => void;
}

interface PipeBinding {
  readonly Pipe: new (type: number) => RawPipe;
  readonly PipeConnectWrap: new () => ConnectRequest;
  readonly constants: { readonly SOCKET: number; readonly SERVER: number; readonly IPC: number };
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly kReadBytesOrError: number;
  readonly kArrayBufferOffset: number;
  readonly kLastWriteWasAsync: number;
  /** Where the binding leaves the results of the call or callback at hand. */
  readonly streamBaseState: Int32Array;
}

const bindings = loadBindings();

/** The pipe types: one that carries handles, and one that listens. */
export const { IPC: PIPE_IPC, SERVER: PIPE_SERVER } = bindings.pipe.constants;
export const { Pipe, PipeConnectWrap } = bindings.pipe;
export const { WriteWrap } = bindings.stream;

/** Whether the last write is still under way; if not, it is done and its `oncomplete` is never called. */
export function isLastWriteAsync(): boolean {
  return bindings.stream.streamBaseState[bindings.stream.kLastWriteWasAsync] !== 0;
}

/** Inside `onread`: how many bytes came, or a negative errno (UV_EOF when the peer has closed). */
export function readBytesOrError(): number {
  return bindings.stream.streamBaseState[bindings.stream.kReadBytesOrError]!;
}

/** Inside `onread`: where in the buffer the bytes begin. */
export function readOffset(): number {
  return bindings.stream.streamBaseState[bindings.stream.kArrayBufferOffset]!;
}

/** The handle inside a socket or a server; null once that is closed. */
export function handleOf(owner: Socket | Server): RawHandle | null {
  return (owner as unknown as { _handle: RawHandle | null })._handle;
}

function loadBindings(): { pipe: PipeBinding; stream: StreamBinding } {
  const { binding } = process as unknown as { binding(name: string): unknown };
  const settings = process as { noDeprecation?: boolean };
  const before = settings.noDeprecation;
  settings.noDeprecation = true;
  try {
    return {
      pipe: binding.call(process, 'pipe_wrap') as PipeBinding,
      stream: binding.call(process, 'stream_wrap') as StreamBinding,
    };
  } finally {
    if (before === undefined) delete settings.noDeprecation;
    else settings.noDeprecation = before;
  }
}
