// fault-proxy.ts: stands between a service and its database, and does what networks do: it stands still, cuts in the middle
// of a statement, or loses the answer to one that was carried out.
//
//   service ──► proxy ──► server        pass | stall | cut after so many bytes | lose answers | refuse
//
// It knows nothing of the protocol but that bytes come from either side.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** Bytes that the service may still send before it is cut off; undefined: as many as it likes. */
  sendableBytes: number | undefined;
  losesAnswers: boolean;
}

export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #mode: 'pass' | 'stall' | 'refuse' = 'pass';
  #waiting: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port: number, host = '127.0.0.1'): Promise<FaultProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new FaultProxy(server);
    server.on('connection', (near) => proxy.#join(near, connect({ port, host, noDelay: true })));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Bytes go through again, those that were held back first. */
  pass(): void {
    this.#mode = 'pass';
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  /** Nothing goes through, and nobody is told; new connections are taken and stand still too. */
  stall(): void {
    this.#mode = 'stall';
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** Cuts all connections, and each new one at once, until pass(). */
  refuse(): void {
    this.#mode = 'refuse';
    this.cut();
  }

  /** Cuts all connections. New ones are taken. */
  cut(): void {
    for (const pair of this.#pairs) this.#cut(pair);
  }

  /** Each open connection is cut when the service has sent so many bytes more: in the middle of whatever that is. */
  cutAfter(bytes: number): void {
    for (const pair of this.#pairs) pair.sendableBytes = bytes;
  }

  /** What the service sends goes through; what the server answers is thrown away, and then the connection is cut. */
  loseAnswers(): void {
    for (const pair of this.#pairs) pair.losesAnswers = true;
  }

  /** Resolves when a connection has been cut. */
  async untilCut(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #join(near: Socket, far: Socket): void {
    const pair: Pair = { near, far, sendableBytes: undefined, losesAnswers: false };
    near.on('error', () => undefined);
    far.on('error', () => undefined);
    this.#pairs.add(pair);
    near.on('data', (bytes) => this.#send(pair, bytes));
    far.on('data', (bytes) => this.#answer(pair, bytes));
    near.on('close', () => this.#cut(pair));
    far.on('close', () => this.#cut(pair));
    if (this.#mode === 'refuse') this.#cut(pair);
    if (this.#mode === 'stall') {
      near.pause();
      far.pause();
    }
  }

  #send(pair: Pair, bytes: Buffer): void {
    const allowed = pair.sendableBytes;
    if (allowed === undefined || bytes.length < allowed) {
      if (allowed !== undefined) pair.sendableBytes = allowed - bytes.length;
      pair.far.write(bytes);
      return;
    }
    // The server must get what came before the cut: only then is it in the middle of a statement.
    pair.far.end(bytes.subarray(0, allowed), () => this.#cut(pair));
  }

  #answer(pair: Pair, bytes: Buffer): void {
    if (!pair.losesAnswers) pair.near.write(bytes);
    else this.#cut(pair);
  }

  #cut(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    pair.near.destroy();
    pair.far.destroy();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
