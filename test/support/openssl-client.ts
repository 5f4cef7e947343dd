// openssl-client.ts: openssl as the stranger on the other side: a TLS client that shares no code with node:tls's server.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';

/** One run of `openssl s_client`. Whatever it prints is in `output`, its own report and what the server sends alike. */
export class OpensslClient implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown>;
  #hasEnded = false;
  #output = '';
  #wake = (): void => {};

  /** @param flags as `-tls1_2`, behind the address */
  constructor(port: number, ...flags: readonly string[]) {
    this.#process = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...flags]);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        this.#output += bytes.toString('latin1');
        this.#wake();
      });
    }
    this.#process.stdin.on('error', () => {}); // it has ended: its output says why
    this.#ended = once(this.#process, 'close').then(() => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  get output(): string {
    return this.#output;
  }

  write(text: string): void {
    this.#process.stdin.write(text);
  }

  /** Waits for it in the output. @throws Error when the client ends before */
  async until(pattern: RegExp | ((output: string) => boolean)): Promise<void> {
    const isThere = typeof pattern === 'function' ? pattern : (output: string) => pattern.test(output);
    while (!isThere(this.#output)) {
      if (this.#hasEnded) throw new Error(`ended before ${pattern}: ${this.#output}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** All of its output, when the server has closed the connection. */
  async rest(): Promise<string> {
    await this.#ended;
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#ended;
  }
}
