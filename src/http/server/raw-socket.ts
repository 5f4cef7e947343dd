// raw-socket.ts: reads and writes a connection without the streams that net.Socket puts in between.
//
//   net.Socket:  epoll → new 64 KiB buffer → Buffer → Readable → 'data'        read
//                write() → Writable → WriteWrap → write(2) → nextTick → callback    write
//   here:        epoll → the thread's one buffer → received()                  read
//                writeLatin1String() → write(2)                                write
//
// Measured with a constant answer (Node 20): 4.9 µs of processor time for a request through net.Socket, 3.0 µs this way.
//
// The net.Socket stays the owner of the connection: opening, half-closing, errors, the end of the peer's half, 'close'
// and destroying are its business as ever, and so is every write while an earlier one is still under way. Only two
// things bypass it: bytes that have come (`onread` is called by the handle; everything but bytes is passed on to the
// function that stood there before), and a write that the kernel takes at once.
//
// None of these names is documented API. net.Socket itself and child_process talk to handles by them, in the same shape
// from Node.js 20 to 26; they are looked for when the module is loaded, and where one is missing `rawSocket()` gives
// undefined and connections are served by StreamSocket. What is known about them is here and in node-internals.ts.
// Source: lib/net.js, lib/internal/stream_base_commons.js and src/stream_base.cc of Node.js.
import type { Socket } from 'node:net';
import { handleOf, type NodeHandle, nodeBinding, type StreamBinding, type WriteRequest } from '../../node-internals.js';
import { type SocketUser, StreamSocket } from './session-socket.js';

/** What one read takes at most. libuv reads as much for a net.Socket. */
const READ_BYTES = 64 * 1024;

/** A connection's handle inside its net.Socket. Calls return 0 or a negative errno. */
interface ConnectionHandle extends NodeHandle {
  reading: boolean;
  /** Bytes of writes under way that the kernel has not taken. */
  readonly writeQueueSize: number;
  onread: (arrayBuffer: ArrayBuffer | undefined) => unknown;
  readStart(): number;
  readStop(): number;
  /** Has all bytes read into this buffer. The handle keeps no reference to it: we must. */
  useUserBuffer(buffer: Uint8Array): void;
  /** Writes at once what the kernel takes; the rest, if there is one, later, and then calls `request.oncomplete`. */
  writeLatin1String(request: WriteRequest, text: string): number;
}

interface Bindings {
  readonly stream: StreamBinding;
  /** The classes of handles that are known to behave as described here. */
  readonly handleClasses: readonly (new () => object)[];
}

const bindings = findBindings();

/** All connections of this thread are read into this one, one after the other: nobody keeps bytes, see SocketUser. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** Says nothing until a write has to wait; then that write keeps it, and another takes its place. */
let spareRequest: WriteRequest | undefined;

/**
 * A connection read and written directly.
 * @param socket accepted, and never read from
 * @returns undefined where that cannot be done: another kind of stream, or a Node.js whose inside is different
 */
export function rawSocket(socket: Socket, user: SocketUser): RawSocket | undefined {
  const handle = handleOf(socket) as ConnectionHandle | null;
  if (bindings === undefined || handle === null || socket.connecting || socket.readableLength > 0) return undefined;
  if (!bindings.handleClasses.some((handleClass) => handle instanceof handleClass)) return undefined;
  return new RawSocket(socket, user, handle, bindings.stream);
}

/** A session's socket by way of its handle. */
export class RawSocket extends StreamSocket {
  /** Of a write that the kernel did not take at once: all its bytes, until it is done. */
  private pendingBytes = 0;

  constructor(
    socket: Socket,
    user: SocketUser,
    private readonly handle: ConnectionHandle,
    private readonly stream: StreamBinding,
  ) {
    super(socket, user);
    const { streamBaseState, kReadBytesOrError } = stream;
    const passOn = handle.onread;
    handle.onread = (arrayBuffer) => {
      const count = streamBaseState[kReadBytesOrError]!;
      if (count <= 0) return passOn.call(handle, arrayBuffer); // the end, or an error
      if (!socket.destroyed) user.received(readBuffer, count);
      return undefined;
    };
    handle.useUserBuffer(readBuffer);
  }

  override get unsentBytes(): number {
    return this.pendingBytes + this.socket.writableLength;
  }

  override get backlog(): number {
    return this.unsentBytes === 0 ? 0 : this.unsentBytes + this.handle.writeQueueSize;
  }

  override resume(): void {
    if (this.socket.destroyed) return;
    this.setReading(true);
    super.resume(); // so that socket.isPaused() tells the truth
  }

  override pause(): void {
    if (this.socket.destroyed) return;
    super.pause();
    this.setReading(false);
  }

  /** Whatever has to wait goes the ordinary way: behind a write that is under way, the kernel's queue keeps the order. */
  override write(text: string): void {
    const { socket, stream } = this;
    if (socket.destroyed) return;
    if (this.unsentBytes > 0) {
      super.write(text);
      return;
    }
    spareRequest ??= new stream.WriteWrap();
    const request = spareRequest;
    const status = this.handle.writeLatin1String(request, text);
    if (status === 0 && stream.streamBaseState[stream.kLastWriteWasAsync] === 0) return;
    spareRequest = undefined;
    if (status !== 0) {
      socket.destroy();
      return;
    }
    this.pendingBytes = text.length;
    request.oncomplete = (finalStatus) => this.written(finalStatus);
  }

  protected override listen(): void {} // the constructor does, once there is a handle

  private written(status: number): void {
    this.pendingBytes = 0;
    if (this.socket.destroyed) return;
    if (status === 0) this.user.drained();
    else this.socket.destroy();
  }

  private setReading(isReading: boolean): void {
    const { handle } = this;
    if (handle.reading === isReading) return;
    handle.reading = isReading; // net.Socket looks at this before it starts or stops reading itself
    const status = isReading ? handle.readStart() : handle.readStop();
    if (status !== 0) this.socket.destroy();
  }
}

function findBindings(): Bindings | undefined {
  try {
    const stream = nodeBinding('stream_wrap') as StreamBinding;
    const { TCP } = nodeBinding('tcp_wrap') as { TCP?: new () => object };
    const { Pipe } = nodeBinding('pipe_wrap') as { Pipe?: new () => object };
    const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = stream;
    const isKnown =
      typeof WriteWrap === 'function' &&
      streamBaseState instanceof Int32Array &&
      streamBaseState[kReadBytesOrError] !== undefined &&
      streamBaseState[kLastWriteWasAsync] !== undefined;
    // A copy, for it is read with each write.
    return isKnown ? { stream: { ...stream }, handleClasses: [TCP, Pipe].filter(hasMethods) } : undefined;
  } catch {
    return undefined; // no process.binding(), or not allowed to us
  }
}

function hasMethods(handleClass: (new () => object) | undefined): handleClass is new () => object {
  const names = ['readStart', 'readStop', 'useUserBuffer', 'writeLatin1String', 'writeQueueSize', 'onread'];
  return names.every((name) => handleClass !== undefined && name in handleClass.prototype);
}
