// served.ts: an HttpServer behind a real listening socket, and a client that sends bytes and reads answers one by one.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { HttpServer, type HttpServerOptions } from '../../src/http/index.js';
import { parseAnswer, type RawAnswer } from '../support/raw-http.js';

export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly server: HttpServer;
  /** The server's ends of the connections, in the order they came. */
  readonly sockets: Socket[];
}

/** Listens on a free port and hands each socket over paused, as the pool does. */
export async function serve(options: HttpServerOptions): Promise<Served> {
  const server = new HttpServer(options);
  const sockets: Socket[] = [];
  const listener = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket);
    server.serve(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    server,
    sockets,
    async [Symbol.asyncDispose]() {
      server.close();
      listener.close();
      await once(listener, 'close');
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

/** The same, one test at a time: for those that look at the memory of the process. */
export function testBothWaysInTurn(title: string, run: RunThisWay): void {
  for (const { way, rawSockets } of WAYS) {
    test.serial(`${title} (${way})`, (t) => run(t, (options) => serve({ ...options, rawSockets })));
  }
}

/** A connection that says what it is told to, and gives answers as they come. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  isClosed = false;
  private text = '';
  private wake: (() => void) | undefined;

  constructor(port: number, options: { readonly allowHalfOpen?: boolean } = {}) {
    this.socket = connect({ port, host: '127.0.0.1', ...options });
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
