// function-store.ts: the usual design over PostgreSQL: the same HTTP server, a pool of connections, and one call of a stored
// function for each order, which takes from the stock, numbers the order without a gap and writes it, in one transaction.
//
//   node function-store.js --database-url postgresql://…     --►  "function ready on 127.0.0.1:N"
//
// The tables and the function are made by whoever starts it (scenarios/postgres.ts).

import { createServer } from 'node:net';
import pg from 'pg';
import { HttpServer, Router } from '../../src/http/index.js';
import { flag, listen, ready } from './peer-process.js';

/** What fits such a database best: more connections only wait for the same rows. */
const CONNECTIONS = 32;

const pool = new pg.Pool({ connectionString: flag('database-url'), max: CONNECTIONS });

const router = new Router().add('POST', '/orders', async (exchange) => {
  const { name, quantity } = JSON.parse(exchange.body.toString());
  const { rows } = await pool.query({
    name: 'buy',
    text: 'SELECT bench_buy($1, $2, $3) AS number',
    values: [name, quantity, exchange.header('idempotency-key')],
  });
  const number = Number(rows[0].number);
  if (number < 0) return exchange.sendError(409, 'not enough stock');
  exchange.send(200, JSON.stringify({ data: { order_number: number } }));
});

const server = new HttpServer({ router });
const listener = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => server.serve(socket));
ready('function', await listen(listener), () => pool.end());
