// server-process.ts: starts and stops pool-server.ts, and visits it: one connection, one request, the connection
// closed.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { CONNECTED_HEADER, nowUs } from './http-thread.js';
import type { ServerKind, ServerReady, ServerUsage } from './pool-server.js';

export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(kind: ServerKind, threads: number): Promise<ServerProcess> {
    // The parent's own flags and listening state are none of the server's business.
    const child = fork(new URL('./pool-server.js', import.meta.url), [kind, String(threads)], { execArgv: [] });
    const [ready] = (await once(child, 'message')) as [ServerReady];
    return new ServerProcess(child, ready.port);
  }

  async usage(): Promise<ServerUsage> {
    this.#child.send('usage');
    const [usage] = (await once(this.#child, 'message')) as [ServerUsage];
    return usage;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

/**
 * Connects, asks, reads the answer to its end. Resolves with the microseconds until the server had read the request.
 */
export function visit(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => {
      socket.write(`GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n${CONNECTED_HEADER}: ${nowUs()}\r\n\r\n`);
    });
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const microseconds = Number(text.slice(text.lastIndexOf('\n') + 1));
      if (text.startsWith('HTTP/1.1 200') && microseconds > 0) resolve(microseconds);
      else reject(new Error(`unexpected answer: ${JSON.stringify(text)}`));
    });
  });
}
