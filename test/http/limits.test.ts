// Each limit of the parser at its value and one past it, with the status that a server answers; the limits of the session
// are in session-limits.test.ts.
import test from 'ava';
import {
  DEFAULT_LIMITS,
  HTTP_ERROR_CODES,
  HttpError,
  type HttpErrorCode,
  type HttpLimits,
  httpLimits,
} from '../../src/http/index.js';
import { byteByByte, readRequests, whole } from './read-messages.js';

interface Row {
  readonly limit: keyof HttpLimits;
  readonly value: number;
  /** A complete request that uses `count` of what is limited. */
  readonly request: (count: number) => string;
  readonly code: HttpErrorCode;
  readonly status: number;
}

const GET = 'GET / HTTP/1.1\r\n';
const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

const ROWS: Row[] = [
  {
    limit: 'blankLinesMax',
    value: 3,
    request: (count) => `${'\r\n'.repeat(count)}${GET}Host: a\r\n\r\n`,
    code: 'BLANK_LINES',
    status: 400,
  },
  {
    limit: 'methodBytesMax',
    value: 10,
    request: (count) => `${'M'.repeat(count)} / HTTP/1.1\r\nHost: a\r\n\r\n`,
    code: 'METHOD_TOO_LONG',
    status: 501,
  },
  {
    limit: 'targetBytesMax',
    value: 50,
    request: (count) => `GET /${'t'.repeat(count - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    code: 'TARGET_TOO_LONG',
    status: 414,
  },
  {
    limit: 'headerBytesMax',
    value: 60,
    request: (count) => `${GET}Host: a\r\n${line(count - 'Host: a\r\n'.length)}\r\n`,
    code: 'FIELDS_TOO_LARGE',
    status: 431,
  },
  {
    limit: 'headerCountMax',
    value: 20,
    request: (count) => `${GET}Host: a\r\n${'X: y\r\n'.repeat(count - 1)}\r\n`,
    code: 'FIELDS_TOO_MANY',
    status: 431,
  },
  {
    limit: 'chunkExtensionBytesMax',
    value: 30,
    // Counted over all chunks of the body, from behind the ";" to the CR, both counted or not alike.
    request: (count) => `${CHUNKED}1;a\r\nx\r\n1;${'b'.repeat(count - 3)}\r\nx\r\n0\r\n\r\n`,
    code: 'CHUNK_EXTENSIONS_TOO_LARGE',
    status: 413,
  },
  {
    limit: 'trailerBytesMax',
    value: 40,
    request: (count) => `${CHUNKED}0\r\n${line(count)}\r\n`,
    code: 'TRAILERS_TOO_LARGE',
    status: 431,
  },
  {
    limit: 'trailerCountMax',
    value: 5,
    request: (count) => `${CHUNKED}0\r\n${'X: y\r\n'.repeat(count)}\r\n`,
    code: 'TRAILERS_TOO_MANY',
    status: 431,
  },
  {
    limit: 'bodyBytesMax',
    value: 100,
    request: (count) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${count}\r\n\r\n${'b'.repeat(count)}`,
    code: 'BODY_TOO_LARGE',
    status: 413,
  },
  {
    limit: 'bodyBytesMax',
    value: 17,
    request: (count) =>
      `${CHUNKED}8\r\n12345678\r\n${(count - 8).toString(16)}\r\n${'b'.repeat(count - 8)}\r\n0\r\n\r\n`,
    code: 'BODY_TOO_LARGE',
    status: 413,
  },
];

/** A header line of exactly `bytes` bytes. */
function line(bytes: number): string {
  return `X: ${'y'.repeat(bytes - 'X: \r\n'.length)}\r\n`;
}

for (const { limit, value, request, code, status } of ROWS) {
  test(`${limit}: ${value} pass, ${value + 1} are ${code}`, (t) => {
    for (const cut of [whole, byteByByte]) {
      const read = (count: number) => readRequests(cut(Buffer.from(request(count))), { [limit]: value });
      t.is(read(value).at(-1), 'end');
      t.is(read(value + 1).at(-1), `error ${code}`);
    }
    // A limit is what the message says and not what others have: the same bytes pass where more is allowed.
    t.is(readRequests([Buffer.from(request(value + 1))], { [limit]: value + 1 }).at(-1), 'end');
    t.is(readRequests([Buffer.from(request(value + 1))], { [limit]: value + 1 }).at(-1), 'end');
    t.is(readRequests([Buffer.from(request(value + 1))], { [limit]: value }).at(-1), `error ${code}`, 'known by now');
    t.is(new HttpError(code).status, status);
  });
}

test('what never ends is refused before it ends', (t) => {
  const limits = {
    targetBytesMax: 100,
    headerBytesMax: 100,
    trailerBytesMax: 100,
    chunkExtensionBytesMax: 100,
    methodBytesMax: 10,
  };
  const endless: [start: string, code: HttpErrorCode][] = [
    ['M', 'METHOD_TOO_LONG'],
    ['GET /', 'TARGET_TOO_LONG'],
    [`${GET}`, 'FIELDS_TOO_LARGE'],
    [`${GET}N: `, 'FIELDS_TOO_LARGE'],
    [`${CHUNKED}5;`, 'CHUNK_EXTENSIONS_TOO_LARGE'],
    [`${CHUNKED}0\r\nT: `, 'TRAILERS_TOO_LARGE'],
  ];
  for (const [start, code] of endless) {
    const lines = readRequests(byteByByte(Buffer.from(start + 'x'.repeat(110))), limits);
    t.is(lines.at(-1), `error ${code}`, start);
  }
});

test('every code has a status between 400 and 505 and a message', (t) => {
  for (const code of HTTP_ERROR_CODES) {
    const error = new HttpError(code);
    t.true(error.status >= 400 && error.status <= 505, code);
    t.regex(error.message, /^[a-zA-Z]/);
  }
});

test('limits that could not work are refused when they are set', (t) => {
  t.throws(() => httpLimits({ pipelineDepthMax: 0 }), { message: /pipelineDepthMax/ });
  t.throws(() => httpLimits({ bodyBytesMax: -1 }), { message: /bodyBytesMax/ });
  t.throws(() => httpLimits({ headTimeoutMs: 0.5 }), { message: /headTimeoutMs/ });
  t.throws(() => httpLimits({ methodBytesMax: 3 }), { message: /methodBytesMax/ });
  t.throws(() => httpLimits({ unsentBytesMax: 1024 }), { message: /unsentBytesMax/ });
  t.throws(() => httpLimits({ idleTimeoutMs: 10, idleTimeoutUnderPressureMs: 20 }), {
    message: /idleTimeoutUnderPressureMs/,
  });
  t.deepEqual(httpLimits(), DEFAULT_LIMITS);
});
