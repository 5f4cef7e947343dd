// session-socket.ts: the socket as a session sees it: bytes come, text goes, and it says how much is still to be sent.
//
//   Session ─ write, end, pause, resume ─→ SessionSocket ─→ net.Socket
//           ←─ received, drained, peerDone, closed ──
//
// Two ways to the same socket. StreamSocket uses what net.Socket documents. RawSocket (raw-socket.ts) leaves out the
// streams in between where nothing is gained by them, which is most of what a small request costs Node. Which one a
// connection gets makes no difference to the session: bytes are only lent to `received()`, whoever read them.
import type { Socket } from 'node:net';

/** What a session is told by its socket. */
export interface SocketUser {
  /** Bytes have come: the first `length` of `bytes`, which will be overwritten when this returns. */
  received(bytes: Buffer, length: number): void;
  /** Everything written so far has been taken by the kernel, after some of it had to wait. */
  drained(): void;
  /** Everything has been taken by the kernel, the end of our half included. */
  ended(): void;
  /** The peer has closed its half and will send no more. */
  peerDone(): void;
  /** The connection is over, for whatever reason. The last call. */
  closed(): void;
}

/** What a session does with its socket. */
export interface SessionSocket {
  /** Bytes written that the kernel has not taken yet. */
  readonly unsentBytes: number;
  /** Changes whenever the kernel takes any of what waits, as far as that can be seen; 0 when nothing waits. */
  readonly backlog: number;
  /** Whether nobody on the way can read along: TLS. */
  readonly isSecure: boolean;
  resume(): void;
  pause(): void;
  /** Sends text, each character one byte. */
  write(text: string): void;
  /** Sends text and then the end of our half. */
  end(text: string): void;
  /** Sends what waits and closes without waiting for the peer to close. */
  destroySoon(): void;
  destroy(): void;
}

/** A session's socket by way of net.Socket's public methods alone. */
export class StreamSocket implements SessionSocket {
  /** @param socket accepted, and never read from */
  constructor(
    protected readonly socket: Socket,
    protected readonly user: SocketUser,
  ) {
    // A peer that has sent its last request and closed its half still wants the answers.
    socket.allowHalfOpen = true;
    // Answers are joined by the session; the kernel must not hold one back for the acknowledgement of another.
    socket.setNoDelay(true);
    socket.on('error', ignore); // 'close' follows, and tells all there is to know
    socket.on('close', () => user.closed());
    socket.on('drain', () => user.drained());
    socket.on('finish', () => user.ended());
    socket.on('end', () => user.peerDone());
    this.listen();
  }

  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  /** Seen only when a whole write is done. */
  get backlog(): number {
    return this.unsentBytes;
  }

  get isSecure(): boolean {
    return 'encrypted' in this.socket;
  }

  resume(): void {
    this.socket.resume();
  }

  pause(): void {
    this.socket.pause();
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  end(text: string): void {
    if (text === '') this.socket.end();
    else this.socket.end(text, 'latin1');
  }

  destroySoon(): void {
    this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Arranges for bytes to reach the user. */
  protected listen(): void {
    this.socket.on('data', (bytes: Buffer) => this.user.received(bytes, bytes.length));
  }
}

function ignore(): void {}
