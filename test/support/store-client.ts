// store-client.ts: the store's HTTP API as a test speaks it: one connection a call, the answer whole.

import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
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

/** Between two questions of one that waits: it shall leave the processor to those it waits for. */
const ASK_EVERY_MS = 20;

/** Orders until the answer is not 503 any more: the services are connected to one another a moment after they are ready. */
export async function buyOnceSelling(port: number, name: string, quantity: number, key?: string): Promise<RawAnswer> {
  for (;;) {
    const answer = await buy(port, name, quantity, key);
    if (answer.status !== 503) return answer;
    await pause(ASK_EVERY_MS);
  }
}

/** Waits until a target is answered with that status. The test's own time-out is the limit. */
export async function untilStatus(port: number, target: string, status: number): Promise<void> {
  while ((await call(port, 'GET', target)).status !== status) await pause(ASK_EVERY_MS);
}

/** The stock that a query shows; rejects with the answer where it is another than 200. */
export async function stockOf(port: number, name: string): Promise<number> {
  const { status, body } = await call(port, 'GET', `/products/${encodeURIComponent(name)}`);
  if (status !== 200) throw new Error(`a query for ${name} was answered ${status}: ${body}`);
  return JSON.parse(body).data.quantity;
}

/** The first sample of that name in the front end's metrics; NaN where there is none. */
export async function counted(port: number, name: string): Promise<number> {
  const { body } = await call(port, 'GET', '/metrics');
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'm').exec(body)?.[1] ?? Number.NaN);
}

/** Looks at a toy until a look was answered from what the front end holds. */
export async function untilHeld(port: number, name: string): Promise<void> {
  const hits = 'toystore_held_hits_total';
  const before = await counted(port, hits);
  do await stockOf(port, name);
  while ((await counted(port, hits)) === before);
}
