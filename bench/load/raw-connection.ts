// raw-connection.ts: the least that can be called an HTTP client: it writes bytes made beforehand and finds the end of
// each answer. It exists because a load generator that costs more than the server measures itself.
//
//   socket -> one read buffer for all -> status, Content-Length, body's place in the buffer -> onAnswer, no copy
//
// What it leaves out on purpose: chunked answers, bodies until close, 1xx. An answer that it cannot frame is an error
// and ends the connection. It is no parser to learn from; that is src/http.

import net from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
/** `Content-Length:` in two parts: the tail is searched for, the start compared without regard to case. */
const LENGTH_NAME_TAIL = Buffer.from('ength:');
const LINE_START = '\ncontent-l';
const SPACE = 0x20;
const ZERO = 0x30;
const STATUS_OFFSET = 'HTTP/1.1 '.length;
/** For all connections: what is read is used up before the next read. */
const READ_BUFFER = Buffer.allocUnsafe(64 * 1024);

/** Told of what happens on a connection. The bytes of an answer are valid during the call only. */
export interface RawConnectionListener {
  onAnswer(status: number, bytes: Buffer, bodyStart: number, bodyEnd: number): void;
  /** Once, whatever the reason; nothing follows. */
  onClose(reason: string): void;
}

/** One keep-alive connection. */
export class RawConnection {
  readonly #socket: net.Socket;
  readonly #listener: RawConnectionListener;
  /** The bytes of an answer that is not whole yet. */
  #rest: Buffer | undefined;
  #isClosed = false;

  private constructor(host: string, port: number, listener: RawConnectionListener) {
    this.#listener = listener;
    // With `onread` the bytes come straight from the socket's handle, past Node's streams.
    const callback = (length: number): boolean => {
      this.#read(READ_BUFFER, length);
      return true;
    };
    this.#socket = net.connect({ host, port, noDelay: true, onread: { buffer: READ_BUFFER, callback } });
  }

  /** Resolves when connected. Rejects with the socket's error. */
  static open(host: string, port: number, listener: RawConnectionListener): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const connection = new RawConnection(host, port, listener);
      const socket = connection.#socket;
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        socket.on('error', (error) => connection.#close(error.message));
        socket.on('close', () => connection.#close('the server closed the connection'));
        resolve(connection);
      });
    });
  }

  /** @param text each character one byte */
  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Ends it without a call to `onClose`. */
  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #read(buffer: Buffer, bytesRead: number): void {
    if (this.#isClosed) return;
    const isContinued = this.#rest !== undefined;
    const bytes = isContinued ? Buffer.concat([this.#rest!, buffer.subarray(0, bytesRead)]) : buffer;
    const end = isContinued ? bytes.length : bytesRead;
    this.#rest = undefined;
    let start = 0;
    while (start < end && !this.#isClosed) {
      const next = this.#readAnswer(bytes, start, end);
      if (next === undefined) {
        this.#rest = Buffer.from(bytes.subarray(start, end));
        return;
      }
      start = next;
    }
  }

  /** @returns where the next answer starts, or undefined while this one is not whole */
  #readAnswer(bytes: Buffer, start: number, end: number): number | undefined {
    const headEnd = bytes.indexOf(HEAD_END, start);
    if (headEnd === -1 || headEnd + HEAD_END.length > end) return undefined;
    const bodyStart = headEnd + HEAD_END.length;
    const length = readLength(bytes, start, headEnd);
    if (length === undefined) {
      this.#socket.destroy();
      this.#close(`an answer without Content-Length: ${bytes.toString('latin1', start, start + 40)}`);
      return end;
    }
    if (bodyStart + length > end) return undefined;
    const status = readDigits(bytes, start + STATUS_OFFSET);
    this.#listener.onAnswer(status, bytes, bodyStart, bodyStart + length);
    return bodyStart + length;
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.onClose(reason);
  }
}

function readLength(bytes: Buffer, start: number, headEnd: number): number | undefined {
  let from = start;
  while (true) {
    const tail = bytes.indexOf(LENGTH_NAME_TAIL, from);
    if (tail === -1 || tail > headEnd) return undefined;
    from = tail + LENGTH_NAME_TAIL.length;
    const lineStart = bytes.toString('latin1', tail - LINE_START.length, tail);
    if (lineStart.toLowerCase() === LINE_START) return readDigits(bytes, bytes[from] === SPACE ? from + 1 : from);
  }
}

function readDigits(bytes: Buffer, from: number): number {
  let value = 0;
  for (let i = from; bytes[i]! >= ZERO && bytes[i]! <= ZERO + 9; i++) value = value * 10 + bytes[i]! - ZERO;
  return value;
}
