// http-probe.ts: asks for the status of one page, and so whether a whole store can do its work, with the least that can ask: the supervisor and the health check of a
// container are started often, and to load the HTTP library would take longer than the question.
//
// Over TLS any certificate will do: it is their own front end on this machine that they ask, by an address that its
// certificate need not name; nothing secret goes there, and what comes back is a status.

import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { formatAddress, type HttpOrigin, parseHttpUrl } from './address.js';

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
export async function askStatus(origin: HttpOrigin, path: string, timeoutMs: number): Promise<number> {
  const { host, port } = origin;
  const socket = await open(origin, timeoutMs);
  return new Promise((resolve, reject) => {
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
  const origin = parseHttpUrl(url);
  if (origin === undefined) return false;
  const giveUpAt = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < giveUpAt) {
    const status = await askStatus(origin, '/readyz', READY_TIMEOUT_MS).catch(() => undefined);
    if (status === OK) return true;
    await pause(ASK_EVERY_MS);
  }
  return false;
}

async function open({ scheme, host, port }: HttpOrigin, timeoutMs: number): Promise<Socket> {
  if (scheme === 'http') return connect({ host, port, timeout: timeoutMs });
  const tls = await import('node:tls');
  return tls.connect({ host, port, timeout: timeoutMs, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
}
