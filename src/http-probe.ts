// http-probe.ts: asks for the status of one page, and so whether a whole store can do its work, with the least that can ask: the supervisor and the health check of a
// container are started often, and to load the HTTP library would take longer than the question.

import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Address, formatAddress, parseHttpUrl } from './address.js';

/** A status line is shorter than that. */
const STATUS_LINE_BYTES_MAX = 256;
/** Finding and selling is possible a moment after all three listen; a store that cannot sell says why in `/readyz`. */
const READY_TIMEOUT_MS = 5_000;
const ASK_EVERY_MS = 20;
const OK = 200;

/**
 * The status that a `GET` is answered with.
 *
 * @param path such as `/healthz`
 * @throws the system's error, or an Error that says what came instead of an answer
 */
export function askStatus({ host, port }: Address, path: string, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    let answer = '';
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setEncoding('latin1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${formatAddress(host, port)}\r\nConnection: close\r\n\r\n`);
    socket.on('data', (text: string) => {
      answer += text;
      const end = answer.indexOf('\r\n');
      if (end === -1 && answer.length < STATUS_LINE_BYTES_MAX) return;
      const statusLine = answer.slice(0, end === -1 ? STATUS_LINE_BYTES_MAX : end);
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1];
      if (status === undefined) return fail(new Error(`it answers ${JSON.stringify(statusLine)}`));
      socket.destroy();
      resolve(Number(status));
    });
    socket.on('timeout', () => fail(new Error(`no answer within ${timeoutMs} ms`)));
    socket.on('end', () => fail(new Error('it closed the connection')));
    socket.on('error', fail);
  });
}

/** Whether `/readyz` says yes within a few seconds. */
export async function waitUntilReady(url: string): Promise<boolean> {
  const address = parseHttpUrl(url);
  if (address === undefined) return false;
  const giveUpAt = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < giveUpAt) {
    const status = await askStatus(address, '/readyz', READY_TIMEOUT_MS).catch(() => undefined);
    if (status === OK) return true;
    await pause(ASK_EVERY_MS);
  }
  return false;
}
