// stand-in-store.ts: a store in a few lines, on the project's own HTTP library: the client's tests need no services.
//
// It keeps what it was asked, and can be told to misbehave in the ways that a client has to notice.

import { once } from 'node:events';
import net from 'node:net';
import { type Exchange, HttpServer, Router } from '../../src/http/index.js';

/** How the stand-in answers; each member replaces the proper behaviour of one route. */
export interface Behaviour {
  /** What is left of every toy at the start. */
  readonly stock?: number;
  onQuery?(exchange: Exchange, name: string): void;
  onOrder?(exchange: Exchange): void;
}

/** One request that arrived, and the connection it came on. */
export interface Arrival {
  readonly connection: number;
  readonly text: string;
}

export class StandInStore {
  readonly arrivals: Arrival[] = [];
  readonly #stock = new Map<string, number>();
  readonly #listener: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #orderCount = 0;

  private constructor(behaviour: Behaviour) {
    this.#listener = net.createServer({ pauseOnConnect: true }, (socket) => {
      this.#sockets.add(socket);
      this.#server(behaviour, this.#sockets.size).serve(socket);
    });
  }

  static async start(behaviour: Behaviour = {}): Promise<StandInStore> {
    const store = new StandInStore(behaviour);
    store.#listener.listen(0, '127.0.0.1');
    await once(store.#listener, 'listening');
    return store;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.address() as net.AddressInfo).port}`;
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    this.#listener.close();
    this.cutConnections();
  }

  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** One server for each connection, so that arrivals know theirs. */
  #server({ stock = 100, onQuery, onOrder }: Behaviour, connection: number): HttpServer {
    const router = new Router();
    const left = (name: string): number => this.#stock.get(name) ?? stock;
    router.add('GET', '/products/:name', (exchange) => {
      const name = exchange.parameter('name') ?? '';
      this.arrivals.push({ connection, text: `GET ${name}` });
      if (onQuery !== undefined) onQuery(exchange, name);
      else exchange.send(200, JSON.stringify({ data: { name, price: 15.99, quantity: left(name) } }));
    });
    router.add('POST', '/orders', (exchange) => {
      const { name, quantity } = JSON.parse(exchange.body.toString()) as { name: string; quantity: number };
      this.arrivals.push({ connection, text: `POST ${quantity} ${name}` });
      if (onOrder !== undefined) {
        onOrder(exchange);
      } else if (quantity > left(name)) {
        exchange.sendError(409, 'not enough stock');
      } else {
        this.#stock.set(name, left(name) - quantity);
        exchange.send(200, JSON.stringify({ data: { order_number: this.#orderCount++ } }));
      }
    });
    return new HttpServer({ router });
  }
}
