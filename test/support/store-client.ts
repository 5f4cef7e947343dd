// store-client.ts: the store's HTTP API as a test speaks it: one connection a call, the answer whole.

import { connect } from 'node:net';
import { parseAnswer, type RawAnswer, readAll } from './raw-http.js';

export interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** Sends one request on a connection of its own. */
export async function call(
  port: number,
  method: string,
  target: string,
  options: CallOptions = {},
): Promise<RawAnswer> {
  const { headers = {}, body } = options;
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: store', 'Connection: close'];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  const socket = connect(port, '127.0.0.1');
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (body !== undefined) socket.write(body);
  return parseAnswer(await readAll(socket));
}

/** Orders a quantity of a toy. */
export function buy(port: number, name: string, quantity: number, key?: string): Promise<RawAnswer> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  if (key !== undefined) headers['Idempotency-Key'] = key;
  return call(port, 'POST', '/orders', { headers, body: JSON.stringify({ name, quantity }) });
}

/** The stock that a query shows. */
export async function stockOf(port: number, name: string): Promise<number> {
  const answer = await call(port, 'GET', `/products/${encodeURIComponent(name)}`);
  return JSON.parse(answer.body).data.quantity;
}
