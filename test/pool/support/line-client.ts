// line-client.ts: a client of the echo service: writes lines, reads lines, and knows how its connection ended.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export class LineClient {
  readonly socket: Socket;
  /** Resolves when the connection has ended, with why. */
  readonly closed: Promise<'ended' | 'reset'>;
  readonly #lines: string[] = [];
  readonly #readers: ((line: string | undefined) => void)[] = [];
  #isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    let text = '';
    let hasFailed = false;
    socket.on('data', (bytes) => {
      text += bytes;
      const lines = text.split('\n');
      text = lines.pop()!;
      for (const line of lines) {
        const reader = this.#readers.shift();
        if (reader === undefined) this.#lines.push(line);
        else reader(line);
      }
    });
    socket.on('error', () => {
      hasFailed = true;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        for (const reader of this.#readers) reader(undefined);
        resolve(hasFailed ? 'reset' : 'ended');
      });
    });
  }

  static async connect(port: number): Promise<LineClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new LineClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Connects so many, one after the other, so that they are accepted in this order. */
  static async connectMany(port: number, count: number): Promise<LineClient[]> {
    const clients: LineClient[] = [];
    for (let index = 0; index < count; index += 1) clients.push(await LineClient.connect(port));
    return clients;
  }

  send(line: string): void {
    this.socket.write(`${line}\n`);
  }

  /** The next line; undefined when the connection has ended without one. */
  read(): Promise<string | undefined> {
    const line = this.#lines.shift();
    if (line !== undefined || this.#isClosed) return Promise.resolve(line);
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  ask(line: string): Promise<string | undefined> {
    this.send(line);
    return this.read();
  }

  /** Ends the connection in good order. */
  async close(): Promise<void> {
    this.socket.end();
    this.socket.resume();
    await this.closed;
  }
}
