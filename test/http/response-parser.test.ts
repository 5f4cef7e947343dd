// The response parser: what it accepts and says, how the request decides the framing, and what it refuses.
import test from 'ava';
import type { HttpErrorCode } from '../../src/http/index.js';
import { readResponses, sameHoweverCut } from './read-messages.js';

interface Row {
  readonly name: string;
  /** Methods of the requests that are answered, in order. */
  readonly methods: string[];
  readonly input: string;
  readonly expected: string[];
}

const OK = 'HTTP/1.1 200 OK\r\n';

const ROWS: Row[] = [
  {
    name: 'a body with a length',
    methods: ['GET'],
    input: `${OK}Content-Length: 5\r\n\r\nhello`,
    expected: ['HTTP/1.1 200', 'Content-Length: 5', 'body "hello"', 'end'],
  },
  {
    name: 'a chunked body with a trailer',
    methods: ['GET'],
    input: `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n`,
    expected: ['HTTP/1.1 200', 'Transfer-Encoding: chunked', 'body "hello"', 'end'],
  },
  {
    name: 'a body until the connection closes',
    methods: ['GET'],
    input: 'HTTP/1.0 200 OK\r\n\r\nhello',
    expected: ['HTTP/1.0 200', 'body "hello"', 'end'],
  },
  {
    name: 'no body after HEAD, whatever the length says',
    methods: ['HEAD', 'GET'],
    input: `${OK}Content-Length: 5\r\n\r\n${OK}Content-Length: 2\r\n\r\nhi`,
    expected: ['HTTP/1.1 200', 'Content-Length: 5', 'end', 'HTTP/1.1 200', 'Content-Length: 2', 'body "hi"', 'end'],
  },
  {
    name: 'no body with 204 and 304',
    methods: ['GET', 'GET', 'GET'],
    input: `HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
    expected: [
      'HTTP/1.1 204',
      'end',
      'HTTP/1.1 304',
      'Content-Length: 9',
      'end',
      'HTTP/1.1 200',
      'Content-Length: 0',
      'end',
    ],
  },
  {
    name: 'interim answers before the final one',
    methods: ['POST'],
    input: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}Content-Length: 1\r\n\r\nx`,
    expected: [
      'HTTP/1.1 100',
      'end',
      'HTTP/1.1 103',
      'Link: </a>',
      'end',
      'HTTP/1.1 200',
      'Content-Length: 1',
      'body "x"',
      'end',
    ],
  },
  {
    name: 'an empty reason, and one with bytes from 0x80 on',
    methods: ['GET', 'GET'],
    input: 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 Probl\xe8me \t!\r\nContent-Length: 0\r\n\r\n',
    expected: ['HTTP/1.1 200', 'Content-Length: 0', 'end', 'HTTP/1.1 500', 'Content-Length: 0', 'end'],
  },
  {
    name: 'Host and Expect mean nothing in a response',
    methods: ['GET'],
    input: `${OK}Host: no host!\r\nHost: \r\nExpect: miracles\r\nContent-Length: 0\r\n\r\n`,
    expected: ['HTTP/1.1 200', 'Host: no host!', 'Host: ', 'Expect: miracles', 'Content-Length: 0', 'end'],
  },
];

for (const { name, methods, input, expected } of ROWS) {
  test(name, (t) => {
    t.deepEqual(
      sameHoweverCut(t, input, (pieces) => readResponses(pieces, methods, {}, true)),
      expected,
    );
  });
}

const REFUSALS: [rule: string, code: HttpErrorCode, inputs: string[]][] = [
  [
    'RFC 9112 4: version, one space, three digits, one space, reason',
    'STATUS_LINE',
    [
      'HTP/1.1 200 OK',
      'HTTP/1.1  200 OK',
      'HTTP/1.1\t200 OK',
      'HTTP/1.1 2 OK',
      'HTTP/1.1 20 OK',
      'HTTP/1.1 2000 OK',
      'HTTP/1.1 200',
      'HTTP/01.1 200 OK',
      'http/1.1 200 OK',
      'HTTP/1.1 099 OK',
      'HTTP/1.1 600 OK',
      '\r',
      ' HTTP/1.1 200 OK',
      'HTTP/1.1 200 O\x00K',
      'ICE/1.1 200 OK',
    ],
  ],
  [
    'RFC 9112 2.2: lines end in CR LF',
    'LINE_ENDING',
    ['HTTP/1.1 200 OK\nX: y', 'HTTP/1.1 200 OK\rX: y', 'HTTP/1.1 200 OK\r\nX: y\n'],
  ],
  ['RFC 9110 15.6.6', 'VERSION_UNSUPPORTED', ['HTTP/2.0 200 OK', 'HTTP/0.9 200 OK', 'HTTP/3.0 200 OK']],
  [
    'RFC 9110 15.2.2: nobody asks to switch protocols',
    'PROTOCOL_SWITCH',
    ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n'],
  ],
  ['RFC 9112 6.3', 'FRAMING_CONFLICT', ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n']],
  [
    'RFC 9112 6.3',
    'TRANSFER_ENCODING',
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n'],
  ],
  ['RFC 9112 6.1', 'TRANSFER_ENCODING_UNKNOWN', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n']],
  ['RFC 9112 6.1', 'TRANSFER_ENCODING_HTTP_1_0', ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n']],
];

for (const [rule, code, inputs] of REFUSALS) {
  test(`${rule}: ${code} for ${JSON.stringify(inputs[0])} and the like`, (t) => {
    for (const input of inputs) {
      const lines = sameHoweverCut(t, `${input}\r\n\r\n`, (pieces) => readResponses(pieces));
      t.deepEqual(lines, [`error ${code}`], JSON.stringify(input));
    }
  });
}

test('a response that nobody asked for is an error, also behind one that was asked for', (t) => {
  const answer = `${OK}Content-Length: 0\r\n\r\n`;
  t.deepEqual(readResponses([Buffer.from(answer)], []), ['error RESPONSE_UNASKED']);
  t.deepEqual(readResponses([Buffer.from(answer + answer)]), [
    'HTTP/1.1 200',
    'Content-Length: 0',
    'end',
    'error RESPONSE_UNASKED',
  ]);
});

test('the end of input inside a body with a length, or a chunked one, is an error', (t) => {
  for (const input of [
    `${OK}Content-Length: 5\r\n\r\nhell`,
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    OK,
    'HTTP',
  ]) {
    t.is(readResponses([Buffer.from(input)], ['GET'], {}, true).at(-1), 'error CUT_SHORT', JSON.stringify(input));
  }
});

test('a body until close keeps to its limit', (t) => {
  const input = (bytes: number) => [Buffer.from(`HTTP/1.0 200 OK\r\n\r\n${'x'.repeat(bytes)}`)];
  t.is(readResponses(input(10), ['GET'], { bodyBytesMax: 10 }, true).at(-1), 'end');
  t.is(readResponses(input(11), ['GET'], { bodyBytesMax: 10 }, true).at(-1), 'error BODY_TOO_LARGE');
});
