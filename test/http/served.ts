// served.ts: an HttpServer behind a real listening socket, plain or TLS, and a client that sends bytes and reads answers one
// by one.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { HttpServer, type HttpServerOptions } from '../../src/http/index.js';
import type { TlsIdentity } from '../../src/tls/tls-identity.js';
import { TlsTerminator } from '../../src/tls/tls-terminator.js';
import { hasOpenssl, makeIdentity, WHY_SKIPPED } from '../support/certificates.js';
import { parseAnswer, type RawAnswer } from '../support/raw-http.js';

export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly server: HttpServer;
  /** The server's ends of the connections, in the order they came. */
  readonly sockets: Socket[];
}

/** Ports that speak TLS: whoever connects to one of them does too. */
const securePorts = new Set<number>();
/** Longer than any machine takes for a handshake. */
const HANDSHAKE_TIMEOUT_MS = 30_000;
let identity: TlsIdentity | undefined;

/** Listens on a free port and hands each socket over paused, as the pool does. */
export function serve(options: HttpServerOptions): Promise<Served> {
  return listen(options);
}

/** The same over TLS. */
export function serveSecurely(options: HttpServerOptions): Promise<Served> {
  identity ??= makeIdentity();
  return listen(options, identity);
}

async function listen(options: HttpServerOptions, identity?: TlsIdentity): Promise<Served> {
  const server = new HttpServer(options);
  const sockets: Socket[] = [];
  const take = (socket: Socket): void => {
    sockets.push(socket);
    server.serve(socket);
  };
  const terminator =
    identity &&
    new TlsTerminator({
      identity,
      protocol: 'http/1.1',
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      onSecure: take,
    });
  const accept = terminator === undefined ? take : (socket: Socket) => terminator.accept(socket);
  const listener = createServer({ pauseOnConnect: true, allowHalfOpen: true }, accept);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  if (terminator !== undefined) securePorts.add(port);
  return {
    port,
    server,
    sockets,
    async [Symbol.asyncDispose]() {
      terminator?.close();
      server.close();
      listener.close();
      await once(listener, 'close');
      securePorts.delete(port);
    },
  };
}

/** Both ways of a session to its socket: around net.Socket's streams, and through them. */
const WAYS = [
  { way: 'raw', rawSockets: true },
  { way: 'stream', rawSockets: false },
] as const;

type RunThisWay = (t: ExecutionContext, serveThisWay: typeof serve) => Promise<void>;

/** A test of what must hold whichever way sessions read and write. */
export function testBothWays(title: string, run: RunThisWay): void {
  for (const { way, rawSockets } of WAYS) {
    test(`${title} (${way})`, (t) => run(t, (options) => serve({ ...options, rawSockets })));
  }
}

/** Whichever way, and over TLS too. */
export function testEveryWay(title: string, run: RunThisWay): void {
  testBothWays(title, run);
  testSecurely(title, run);
}

/** Over TLS alone. */
export function testSecurely(title: string, run: RunThisWay): void {
  if (hasOpenssl) test(`${title} (TLS)`, (t) => run(t, serveSecurely));
  else test.skip(`${title} (TLS): ${WHY_SKIPPED}`, () => {});
}

/** The same, one test at a time: for those that look at the memory of the process. */
export function testEveryWayInTurn(title: string, run: RunThisWay): void {
  for (const { way, rawSockets } of WAYS) {
    test.serial(`${title} (${way})`, (t) => run(t, (options) => serve({ ...options, rawSockets })));
  }
  if (hasOpenssl) test.serial(`${title} (TLS)`, (t) => run(t, serveSecurely));
}

/** A connection that says what it is told to, and gives answers as they come. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  /** Under TLS, where that is spoken. */
  private readonly connection: Socket;
  isClosed = false;
  private text = '';
  private wake: (() => void) | undefined;

  constructor(port: number, options: { readonly allowHalfOpen?: boolean } = {}) {
    this.connection = connect({ port, host: '127.0.0.1', ...options });
    this.socket = securePorts.has(port)
      ? connectSecurely({ socket: this.connection, rejectUnauthorized: false })
      : this.connection;
    this.socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
      this.wake?.();
    });
    this.socket.on('error', () => {});
    this.socket.on('end', () => this.ended());
    this.socket.on('close', () => this.ended());
  }

  write(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** What has come and was not asked for, so far. */
  get received(): string {
    return this.text;
  }

  /** The next answer. @param isHead its body is left out @throws Error when the connection ends before it is whole */
  async answer(isHead = false): Promise<RawAnswer> {
    for (;;) {
      const headEnd = this.text.indexOf('\r\n\r\n');
      if (headEnd >= 0) {
        const answer = parseAnswer(this.text);
        const hasBody = !isHead && answer.status !== 204 && answer.status >= 200;
        const bodyBytes = hasBody ? Number(answer.headers['content-length'] ?? 0) : 0;
        const length = headEnd + 4 + bodyBytes;
        if (this.text.length >= length) {
          this.text = this.text.slice(length);
          return hasBody ? answer : { ...answer, body: '' };
        }
      }
      await this.more();
    }
  }

  /** The next `count` answers. */
  async answers(count: number): Promise<RawAnswer[]> {
    const answers: RawAnswer[] = [];
    while (answers.length < count) answers.push(await this.answer());
    return answers;
  }

  /** What has come and was not asked for, when the server has closed. */
  async rest(): Promise<string> {
    while (!this.isClosed) await this.more().catch(() => {});
    return this.text;
  }

  /** Cuts the connection without a word. */
  reset(): void {
    this.connection.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  private ended(): void {
    this.isClosed = true;
    this.wake?.();
  }

  /** Waits for more to come, or the end. */
  async more(): Promise<void> {
    if (this.isClosed) throw new Error(`connection closed after ${JSON.stringify(this.text.slice(0, 200))}`);
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }
}

/** A complete GET. */
export function get(target: string, headers = ''): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}

/** A complete POST. */
export function post(target: string, body: string, headers = ''): string {
  return `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
}
