// What must hold for any input: a message that a writer made is read back the same however it is cut; bytes that nobody
// made on purpose never throw, never hang, and are refused or read; and node:http understands what we understand.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { AnswerWriter, bodyText } from '../../src/http/server/answer-writer.js';
import { prepareHeaders } from '../../src/http/server/prepared-headers.js';
import { runs } from '../support/effort.js';
import { readRequests, readResponses } from './read-messages.js';

/** A place in bytes, as a part of their length. Whole numbers are drawn evenly, where most doubles are next to nothing. */
const fraction = fc.nat({ max: 10_000 }).map((parts) => parts / 10_000);
const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength: 20 });
/** Latin-1 text that may be a field value, without white space around it. */
const value = fc
  .string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
    maxLength: 80,
  })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
const body = fc.string({
  unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
  maxLength: 200,
});
const FRAMING = new Set([
  'host',
  'expect',
  'connection',
  'content-length',
  'transfer-encoding',
  'date',
  'content-type',
]);
const fields = fc.array(
  fc.tuple(
    token.filter((name) => !FRAMING.has(name.toLowerCase())),
    value,
  ),
  { maxLength: 8 },
);
const target = fc
  .webPath()
  .map((path) => (path.startsWith('/') ? path : `/${path}`))
  .filter((path) => /^[\w\-.~!$&'()*+,;=:@%/]+$/.test(path));

interface Request {
  readonly method: string;
  readonly target: string;
  readonly fields: [string, string][];
  readonly body: string;
  /** Sizes of chunks; empty for a length. */
  readonly chunks: number[];
}

const request: fc.Arbitrary<Request> = fc.record({
  method: token.filter((method) => method !== 'CONNECT'),
  target,
  fields,
  body,
  chunks: fc.oneof(
    fc.constant<number[]>([]),
    fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
  ),
});

function requestBytes({ method, target, fields, body, chunks }: Request): string {
  const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join('');
  const head = `${method} ${target} HTTP/1.1\r\nHost: a\r\n${lines}`;
  if (chunks.length === 0) return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  let encoded = '';
  for (let start = 0, index = 0; start < body.length; index++) {
    const piece = body.slice(start, start + chunks[index % chunks.length]!);
    encoded += `${piece.length.toString(16)};n="${index}"\r\n${piece}\r\n`;
    start += piece.length;
  }
  return `${head}Transfer-Encoding: chunked\r\n\r\n${encoded}0\r\nTrailer-Field: x\r\n\r\n`;
}

function requestLines({ method, target, fields, body, chunks }: Request): string[] {
  const framing = chunks.length === 0 ? `Content-Length: ${body.length}` : 'Transfer-Encoding: chunked';
  const bodyLines = body === '' ? [] : [`body ${JSON.stringify(body)}`];
  return [
    `${method} ${target} HTTP/1.1`,
    'Host: a',
    ...fields.map(([name, text]) => `${name}: ${text}`),
    framing,
    ...bodyLines,
    'end',
  ];
}

/** Cuts bytes at places given as fractions of their length. */
function cut(bytes: Buffer, fractions: number[]): Buffer[] {
  const places = fractions.map((fraction) => Math.floor(fraction * bytes.length)).sort((a, b) => a - b);
  return [...places, bytes.length].map((place, index) => bytes.subarray(places[index - 1] ?? 0, place));
}

const fractions = fc.array(fraction, { maxLength: 12 });

test('requests are read back as they were written, however they are cut', (t) => {
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), fractions, (requests, places) => {
      const bytes = Buffer.from(requests.map(requestBytes).join(''), 'latin1');
      t.deepEqual(readRequests(cut(bytes, places)), requests.flatMap(requestLines));
    }),
    { numRuns: runs(150) },
  );
});

test('answers of the writer are read back as they were written, however they are cut', (t) => {
  const writer = new AnswerWriter(0);
  const status = fc.constantFrom(200, 201, 204, 304, 404, 500, 503);
  fc.assert(
    fc.property(
      status,
      fields,
      fc.string({ unit: 'grapheme', maxLength: 2000 }),
      fc.boolean(),
      fractions,
      (code, headers, text, isHead, places) => {
        const prepared = prepareHeaders(Object.fromEntries(headers));
        const written = bodyText(text);
        const answer = writer.answer(code, written, prepared, isHead, '');
        const lines = readResponses(cut(Buffer.from(answer, 'latin1'), places), [isHead ? 'HEAD' : 'GET']);
        const hasBody = code !== 204 && code !== 304;
        t.is(lines[0], `HTTP/1.1 ${code}`);
        t.is(lines.at(-1), 'end');
        t.is(lines.includes(`Content-Length: ${Buffer.byteLength(text)}`), hasBody);
        t.is(lines.includes(`body ${JSON.stringify(written)}`), hasBody && !isHead && text !== '');
        for (const [name, content] of Object.entries(Object.fromEntries(headers)))
          t.true(lines.includes(`${name}: ${content}`));
      },
    ),
    { numRuns: runs(150) },
  );
});

/** A valid request with some bytes changed, left out or put in: nearly right is where parsers go wrong. */
const mutated = fc
  .tuple(
    fc.array(request, { minLength: 1, maxLength: 2 }),
    fc.array(fc.tuple(fraction, fc.constantFrom('change', 'drop', 'insert'), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    }),
  )
  .map(([requests, mutations]) => {
    let bytes = Buffer.from(requests.map(requestBytes).join(''), 'latin1');
    for (const [fraction, kind, byte] of mutations) {
      const place = Math.floor(fraction * bytes.length);
      const before = bytes.subarray(0, place);
      const after = bytes.subarray(kind === 'insert' ? place : place + 1);
      bytes = Buffer.concat([before, ...(kind === 'drop' ? [] : [Buffer.from([byte])]), after]);
    }
    return bytes;
  });

test('random and damaged bytes never throw, and read the same however they are cut', (t) => {
  const anything = fc.oneof(
    mutated,
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(anything, fractions, (bytes, places) => {
      const lines = readRequests([bytes], {}, true);
      t.deepEqual(readRequests(cut(bytes, places), {}, true), lines);
      const answered = readResponses([bytes], ['GET', 'HEAD'], {}, true);
      t.deepEqual(readResponses(cut(bytes, places), ['GET', 'HEAD'], {}, true), answered);
    }),
    { numRuns: runs(500) },
  );
});

/** What node:http makes of the bytes of one connection: requests in the words of read-messages.ts, up to the first refusal. */
async function readByNode(port: number, seen: string[], bytes: Buffer): Promise<string[]> {
  seen.length = 0;
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.resume();
  socket.end(bytes);
  await once(socket, 'close');
  return [...seen];
}

test('what we read as a request, node:http reads as the same request', async (t) => {
  const seen: string[] = [];
  const server = createServer(
    { keepAliveTimeout: 10, insecureHTTPParser: false },
    (message: IncomingMessage, response) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', () => {
        const text = Buffer.concat(chunks).toString('latin1');
        seen.push(`${message.method} ${message.url} HTTP/${message.httpVersion} ${JSON.stringify(text)}`);
        response.end();
      });
    },
  );
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  // Methods that node knows: an unknown one it refuses, and we leave to the router.
  const known = request.map((made) => ({ ...made, method: 'POST' }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(known, { minLength: 1, maxLength: 2 }),
      fc.option(fc.tuple(fraction, fc.integer({ min: 0, max: 255 }))),
      async (requests, damage) => {
        const bytes = Buffer.from(requests.map(requestBytes).join(''), 'latin1');
        if (damage !== null) bytes[Math.floor(damage[0] * (bytes.length - 1))] = damage[1];
        const ours = wholeRequests(readRequests([bytes], {}, true));
        const theirs = await readByNode(port, seen, bytes);
        // Node may read more than we do, since it is less strict in ways the refusals' table names; never something else.
        for (const [index, line] of ours.entries()) {
          const written = JSON.stringify(bytes.toString('latin1'));
          if (theirs[index] === undefined && NODE_REFUSES.some((reason) => reason.test(`${line} ${written}`))) break;
          const said = `${written}\nours   ${line}\ntheirs ${theirs[index]}`;
          if (theirs[index] !== line) throw new Error(said);
        }
      },
    ),
    { numRuns: runs(80), endOnFailure: true, includeErrorInReport: true },
  );
  t.pass();
});

/** Named ways in which node:http refuses what we read, and then reads nothing more: in our reading and the bytes. */
const NODE_REFUSES: RegExp[] = [
  /^(?!POST )/, // methods that it does not know; ours is the router's business
  / HTTP\/1\.[2-9]\\r/, // a minor version to come, which is read as the highest that one knows (RFC 9110 2.5)
];

/**
 * Complete requests among the lines, in one line each. The last is the one before a request of HTTP/1.1 that has no Host:
 * the parser reads on, but our session refuses it and closes the connection, as node:http does (RFC 9112 3.2).
 */
function wholeRequests(lines: string[]): string[] {
  const requests: string[] = [];
  let start = '';
  let hasHost = false;
  let text = '""';
  for (const line of lines) {
    if (/^[^ :]+ [^ ]+ HTTP\/1\.[01]$/.test(line)) {
      start = line;
      hasHost = line.endsWith('/1.0');
      text = '""';
    } else if (/^host:/i.test(line)) hasHost = true;
    else if (line.startsWith('body ')) text = line.slice('body '.length);
    else if (line === 'end') {
      if (!hasHost) break;
      requests.push(`${start} ${text}`);
    }
  }
  return requests;
}
