// response-stream.ts: an answer that is made while it is sent: its framing, and when there is room for more of it.
//
//   write() ─→ text ─→ the session takes it when it is this answer's turn        false: too much waits already
//   onDrain  ←─────── there is room again                                        (for its turn, or for the peer)
//
// HTTP/1.1: each write is a chunk (RFC 9112 7.1). HTTP/1.0: until the connection closes. HEAD: over before it begins.
import { assert } from '../../assert.js';
import { bodyText } from './answer-writer.js';

/** What whoever makes an answer is told. */
export interface StreamEvents {
  /** There is room again, after a `write()` that returned false. */
  readonly onDrain?: () => void;
  /**
   * Once: an answer without an end of its own should end now, for the server is draining, or the peer has closed its half.
   * Whoever does not listen to this goes on to the end.
   */
  readonly onEndWanted?: () => void;
  /** Once, the last call. @param isComplete false when the peer has gone, or the connection was cut, before `end()` */
  readonly onClose?: (isComplete: boolean) => void;
}

/** How whoever makes an answer sends it. */
export interface ResponseStream {
  /** False after `end()`, when the peer has gone, and for HEAD, which has no body. What is written then goes nowhere. */
  readonly isOpen: boolean;
  /**
   * Sends a part of the body. All of it is taken, whatever is returned.
   * @param part text is sent as UTF-8
   * @returns whether there is room for more; if not, `onDrain` says when
   */
  write(part: string | Uint8Array): boolean;
  /** Ends the answer. Without it the peer knows that something is missing. */
  end(part?: string | Uint8Array): void;
}

/** What a stream needs of its session. */
export interface StreamOwner {
  /** More waits to be sent, or the end. @returns whether there is room for more */
  streamed(): boolean;
}

const LAST_CHUNK = '0\r\n\r\n';

export class OutgoingStream implements ResponseStream {
  isOpen = true;
  /** Whether its maker waits for room. */
  isFull = false;
  /** What the session has not taken yet, framed. */
  private text = '';
  private hasEnded = false;
  private isEndWanted = false;

  constructor(
    private readonly owner: StreamOwner,
    private readonly events: StreamEvents,
    private readonly isChunked: boolean,
    hasBody: boolean,
  ) {
    if (hasBody) return;
    this.isOpen = false;
    queueMicrotask(() => this.events.onClose?.(true)); // when the maker has the stream that it is told of
  }

  write(part: string | Uint8Array): boolean {
    assert(!this.hasEnded, 'nothing is written behind the end of an answer');
    if (!this.isOpen) return false;
    this.add(part);
    this.isFull = !this.owner.streamed();
    return !this.isFull;
  }

  end(part: string | Uint8Array = ''): void {
    assert(!this.hasEnded, 'an answer ends once');
    this.hasEnded = true;
    if (!this.isOpen) return;
    this.add(part);
    if (this.isChunked) this.text += LAST_CHUNK;
    this.isOpen = false;
    this.owner.streamed();
    this.events.onClose?.(true);
  }

  /** What waits to be taken. */
  get waitingCharacters(): number {
    return this.text.length;
  }

  /** @returns what waits, one character per byte, and nothing afterwards */
  takeText(): string {
    const { text } = this;
    this.text = '';
    return text;
  }

  /** There is room again. */
  makeRoom(): void {
    this.isFull = false;
    this.events.onDrain?.();
  }

  wantEnd(): void {
    if (!this.isOpen || this.isEndWanted) return;
    this.isEndWanted = true;
    this.events.onEndWanted?.();
  }

  /** Nobody will get the rest. */
  abort(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.text = '';
    this.events.onClose?.(false);
  }

  private add(part: string | Uint8Array): void {
    const text = bodyText(part);
    if (text === '') return; // an empty chunk would be the last
    this.text += this.isChunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text;
  }
}
