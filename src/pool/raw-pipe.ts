// raw-pipe.ts: the few names of Node's inner pipe binding that passing a descriptor needs; child_process.fork() and
// node:cluster pass theirs by the same calls. All knowledge of them is in this file and ipc-handoff.ts.

import { getSystemErrorName } from 'node:util';
import { type NodeHandle, nodeBinding, type StreamBinding, type WriteRequest } from '../node-internals.js';

/** A pipe handle. Calls return 0 or a negative errno. */
export interface RawPipe extends NodeHandle {
  /** The handle that came with the bytes being read, if one did; the reader takes it and sets undefined. */
  pendingHandle?: NodeHandle | undefined;
  onread?: (bytes: ArrayBuffer | undefined) => void;
  /** On a listening pipe: a peer has connected. */
  onconnection?: (status: number, client: RawPipe | undefined) => void;
  bind(path: string): number;
  listen(backlog: number): number;
  connect(request: WriteRequest, path: string): number;
  open(fd: number): number;
  readStart(): number;
  writeUtf8String(request: WriteRequest, text: string, handle: NodeHandle): number;
}

interface PipeBinding {
  readonly Pipe: new (type: number) => RawPipe;
  readonly PipeConnectWrap: new () => WriteRequest;
  readonly constants: { readonly SERVER: number; readonly IPC: number };
}

const pipes = nodeBinding('pipe_wrap') as PipeBinding;
const streams = nodeBinding('stream_wrap') as StreamBinding;

/** The pipe types: one that carries handles, and one that listens. */
export const { IPC: PIPE_IPC, SERVER: PIPE_SERVER } = pipes.constants;
export const { Pipe, PipeConnectWrap } = pipes;
export const { WriteWrap } = streams;

/** Whether the last write is still under way; if not, it is done and its `oncomplete` is never called. */
export function isLastWriteAsync(): boolean {
  return streams.streamBaseState[streams.kLastWriteWasAsync] !== 0;
}

/** Inside `onread`: how many bytes came, or a negative errno (UV_EOF when the peer has closed). */
export function readBytesOrError(): number {
  return streams.streamBaseState[streams.kReadBytesOrError]!;
}

/** Inside `onread`: where in the buffer the bytes begin. */
export function readOffset(): number {
  return streams.streamBaseState[streams.kArrayBufferOffset]!;
}

/** What a call or callback says, as a name: `EMFILE` for -24. */
export function nameOf(status: number): string {
  return status < 0 ? getSystemErrorName(status) : 'no data';
}
