// raw-http.ts: HTTP as bytes on a socket, for what a well-behaved client would never send.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Sends `request`, reads until the server closes, and returns all that it said. */
export async function exchangeUntilClose(port: number, request: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  return readAll(socket);
}

/** Everything that arrives until the peer closes. */
export async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

/** The first answer in `text`, whose body has a Content-Length or lasts to the end. */
export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = headers['content-length'];
  const body = text.slice(end + 4, length === undefined ? undefined : end + 4 + Number(length));
  return { status: Number(statusLine.split(' ')[1]), headers, body };
}
