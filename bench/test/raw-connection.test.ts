import { once } from 'node:events';
import net from 'node:net';
import test from 'ava';
import { RawConnection } from '../load/raw-connection.js';
import { listen } from '../peers/peer-process.js';

interface Read {
  readonly status: number;
  readonly body: string;
}

/** Connects to a server that writes the pieces one by one, each when the one before has been read. */
async function readAnswers(
  pieces: readonly string[],
  count: number,
): Promise<{ answers: Read[]; reason: string | undefined }> {
  const server = net.createServer({ noDelay: true }, async (socket) => {
    socket.on('error', () => {});
    await once(socket, 'data');
    for (const piece of pieces) {
      socket.write(piece);
      // The next piece must not share a packet with this one.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    }
  });
  const port = await listen(server);
  const answers: Read[] = [];
  let connection: RawConnection | undefined;
  const reason = await new Promise<string | undefined>((resolve, reject) => {
    const listener = {
      onAnswer: (status: number, bytes: Buffer, start: number, end: number) => {
        answers.push({ status, body: bytes.toString('latin1', start, end) });
        if (answers.length === count) resolve(undefined);
      },
      onClose: resolve,
    };
    RawConnection.open('127.0.0.1', port, listener).then((opened) => {
      connection = opened;
      opened.send('GET / HTTP/1.1\r\n\r\n');
    }, reject);
  });
  connection?.close();
  server.close();
  return { answers, reason };
}

const FIRST = 'HTTP/1.1 200 OK\r\nDate: Sat, 31 Jan 2026 12:00:00 GMT\r\nContent-Length: 5\r\n\r\nhello';
const SECOND = 'HTTP/1.1 404 Not Found\r\ncontent-length:3\r\nX-Strength: 9\r\n\r\nbye';
const BOTH = [
  { status: 200, body: 'hello' },
  { status: 404, body: 'bye' },
];

test('two answers in one packet', async (t) => {
  t.deepEqual((await readAnswers([FIRST + SECOND], 2)).answers, BOTH);
});

for (let cut = 1; cut < (FIRST + SECOND).length; cut += 7) {
  test(`two answers cut at byte ${cut}`, async (t) => {
    const text = FIRST + SECOND;
    t.deepEqual((await readAnswers([text.slice(0, cut), text.slice(cut)], 2)).answers, BOTH);
  });
}

test('an answer without a body', async (t) => {
  const { answers } = await readAnswers(['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'], 1);
  t.deepEqual(answers, [{ status: 200, body: '' }]);
});

test('a header that only ends like Content-Length is another', async (t) => {
  const { answers } = await readAnswers([`HTTP/1.1 200 OK\r\nX-Content-Length: 99\r\nContent-Length: 2\r\n\r\nok`], 1);
  t.deepEqual(answers, [{ status: 200, body: 'ok' }]);
});

test('an answer that cannot be framed ends the connection, with the reason', async (t) => {
  const { reason } = await readAnswers(['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'], 1);
  t.regex(reason ?? '', /without Content-Length: HTTP\/1\.1 200 OK/);
});
