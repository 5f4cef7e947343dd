// unsteady-link.ts: a way to the catalog on which single connections break, or fall silent for a while. A front end has
// several: one on which it watches, and one in each thread on which it finds. Which is hit is left to chance.

import { once } from 'node:events';
import net from 'node:net';
import type { SeededRandom } from '../support/simulated-random.js';

export class UnsteadyLink implements AsyncDisposable {
  readonly #listener: net.Server;
  readonly #ports: () => number;
  readonly #pairs = new Set<readonly [net.Socket, net.Socket]>();

  private constructor(port: () => number) {
    this.#ports = port;
    this.#listener = net.createServer((near) => this.#join(near));
  }

  /** @param port where the other side listens, looked at for each connection */
  static async start(port: () => number): Promise<UnsteadyLink> {
    const link = new UnsteadyLink(port);
    link.#listener.listen(0, '127.0.0.1');
    await once(link.#listener, 'listening');
    return link;
  }

  get address(): string {
    return `127.0.0.1:${(this.#listener.address() as net.AddressInfo).port}`;
  }

  /** Breaks one connection. @returns false if there is none */
  cutOne(random: SeededRandom): boolean {
    const pair = this.#draw(random);
    for (const socket of pair ?? []) socket.resetAndDestroy();
    return pair !== undefined;
  }

  /** Nothing passes on one connection until the returned function is called; undefined if there is none. */
  holdOne(random: SeededRandom): (() => void) | undefined {
    const pair = this.#draw(random);
    for (const socket of pair ?? []) socket.pause();
    return pair && (() => pair.forEach((socket) => void socket.resume()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  #draw(random: SeededRandom): readonly [net.Socket, net.Socket] | undefined {
    return this.#pairs.size === 0 ? undefined : random.pick([...this.#pairs]);
  }

  #join(near: net.Socket): void {
    const far = net.connect(this.#ports(), '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      // Not pipe(): that would let go of the pause when the other side drains.
      from.on('data', (bytes) => void to.write(bytes));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    }
  }
}
