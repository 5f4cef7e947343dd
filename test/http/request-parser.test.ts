// What the request parser accepts and says about it. What it refuses is in request-refusals.test.ts.
import test from 'ava';
import { readRequests, sameHoweverCut } from './read-messages.js';

interface Row {
  readonly name: string;
  readonly input: string;
  readonly expected: string[];
}

const ROWS: Row[] = [
  {
    name: 'a GET of a product',
    input: 'GET /products/Tux HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n\r\n',
    expected: ['GET /products/Tux HTTP/1.1', 'Host: 127.0.0.1:5000', 'end'],
  },
  {
    name: 'a POST with a length',
    input: 'POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 27\r\n\r\n{"name":"Tux","quantity":1}',
    expected: [
      'POST /orders HTTP/1.1',
      'Host: a',
      'Content-Length: 27',
      'body "{\\"name\\":\\"Tux\\",\\"quantity\\":1}"',
      'end',
    ],
  },
  {
    name: 'a method that ends like another',
    input: 'BUDGET /a HTTP/1.1\r\nHost: a\r\n\r\nREPOST /b HTTP/1.1\r\nHost: a\r\n\r\n',
    expected: ['BUDGET /a HTTP/1.1', 'Host: a', 'end', 'REPOST /b HTTP/1.1', 'Host: a', 'end'],
  },
  {
    name: 'a length of nothing',
    input: 'POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
    expected: ['POST /orders HTTP/1.1', 'Host: a', 'Content-Length: 0', 'end'],
  },
  {
    name: 'a length with zeros in front, which is still digits (RFC 9110 8.6)',
    input: 'POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 003\r\n\r\nabc',
    expected: ['POST /orders HTTP/1.1', 'Host: a', 'Content-Length: 003', 'body "abc"', 'end'],
  },
  {
    name: 'two requests in one piece',
    input: 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\nHost: a\r\n\r\n',
    expected: [
      'POST /a HTTP/1.1',
      'Host: a',
      'Content-Length: 2',
      'body "hi"',
      'end',
      'GET /b HTTP/1.1',
      'Host: a',
      'end',
    ],
  },
  {
    name: 'an empty line before a request (RFC 9112 2.2)',
    input: '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    expected: ['GET / HTTP/1.1', 'Host: a', 'end', 'GET / HTTP/1.1', 'Host: a', 'end'],
  },
  {
    name: 'chunks with extensions and trailers (RFC 9112 7.1)',
    input:
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '5;name;other=value;quoted="a \\" b;"\r\nhello\r\n006\r\n world\r\n0;last\r\nExpires: never\r\nX: y\r\n\r\n' +
      'GET / HTTP/1.1\r\nHost: b\r\n\r\n',
    expected: [
      'POST / HTTP/1.1',
      'Host: a',
      'Transfer-Encoding: chunked',
      'body "hello world"',
      'end',
      'GET / HTTP/1.1',
      'Host: b',
      'end',
    ],
  },
  {
    name: 'chunk sizes in both cases of letters',
    input: `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\na\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n`,
    expected: ['POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: CHUNKED', 'body "01234567890123456789a"', 'end'],
  },
  {
    name: 'white space around values, and none of it in them (RFC 9110 5.5)',
    input: 'GET / HTTP/1.1\r\nHost:a\r\nA: \t b \t c \t\r\nEmpty:\r\nBlank: \t \r\n\r\n',
    expected: ['GET / HTTP/1.1', 'Host: a', 'A: b \t c', 'Empty: ', 'Blank: ', 'end'],
  },
  {
    name: 'bytes from 0x80 on in a value (obs-text, RFC 9110 5.5)',
    input: 'GET / HTTP/1.1\r\nHost: a\r\nX: D\xfcsseldorf\xff\r\n\r\n',
    expected: ['GET / HTTP/1.1', 'Host: a', 'X: D\xfcsseldorf\xff', 'end'],
  },
  {
    name: 'a long value with a tab in it, and one of every length around the word size',
    input: `GET / HTTP/1.1\r\nHost: a\r\n${lengths(20, 36)}T: ${'x'.repeat(30)}\t${'y'.repeat(30)}\r\n\r\n`,
    expected: [
      'GET / HTTP/1.1',
      'Host: a',
      ...lengths(20, 36).trim().split('\r\n'),
      `T: ${'x'.repeat(30)}\t${'y'.repeat(30)}`,
      'end',
    ],
  },
  {
    name: 'absolute-form (RFC 9112 3.2.2)',
    input: 'GET http://host.example:5000/products/Tux?x=1 HTTP/1.1\r\nHost: other\r\n\r\n',
    expected: ['GET http://host.example:5000/products/Tux?x=1 HTTP/1.1', 'Host: other', 'end'],
  },
  {
    name: 'absolute-form without a path, with an IPv6 host',
    input: 'OPTIONS HTTP://[::1]:5000?x HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n',
    expected: ['OPTIONS HTTP://[::1]:5000?x HTTP/1.1', 'Host: [::1]:5000', 'end'],
  },
  {
    name: 'asterisk-form (RFC 9112 3.2.4)',
    input: 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
    expected: ['OPTIONS * HTTP/1.1', 'Host: a', 'end'],
  },
  {
    name: 'authority-form (RFC 9112 3.2.3)',
    input: 'CONNECT host.example:443 HTTP/1.1\r\nHost: host.example\r\n\r\n',
    expected: ['CONNECT host.example:443 HTTP/1.1', 'Host: host.example', 'end'],
  },
  {
    name: 'HTTP/1.0 without Host',
    input: 'GET / HTTP/1.0\r\n\r\n',
    expected: ['GET / HTTP/1.0', 'end'],
  },
  {
    name: 'a method of any token, seen by the router',
    input: "M-SEARCH /a HTTP/1.1\r\nHost: a\r\n\r\n!#$%&'*+-.^_`|~ / HTTP/1.1\r\nHost: a\r\n\r\n",
    expected: ['M-SEARCH /a HTTP/1.1', 'Host: a', 'end', "!#$%&'*+-.^_`|~ / HTTP/1.1", 'Host: a', 'end'],
  },
  {
    name: 'a target of every byte that may stand in one',
    input: `GET /-._~!$&'()*+,;=:@%41%7f/[]?/?x%FF HTTP/1.1\r\nHost: a\r\n\r\n`,
    expected: [`GET /-._~!$&'()*+,;=:@%41%7f/[]?/?x%FF HTTP/1.1`, 'Host: a', 'end'],
  },
  {
    name: 'UTF-8 in a path, up to its last character; in a query any bytes (nobody here reads it)',
    input: 'GET /%c3%bc%E2%82%AC%F0%9F%90%A7%F4%8F%BF%BF%EF%BB%BF%00?%ff%C0%AF HTTP/1.1\r\nHost: a\r\n\r\n',
    expected: ['GET /%c3%bc%E2%82%AC%F0%9F%90%A7%F4%8F%BF%BF%EF%BB%BF%00?%ff%C0%AF HTTP/1.1', 'Host: a', 'end'],
  },
  {
    name: 'a minor version above ours is read as ours (RFC 9110 2.5)',
    input: 'GET / HTTP/1.2\r\nHost: a\r\n\r\nGET / HTTP/1.9\r\nHost: a\r\n\r\n',
    expected: ['GET / HTTP/1.1', 'Host: a', 'end', 'GET / HTTP/1.1', 'Host: a', 'end'],
  },
  {
    name: 'an expectation that is met (RFC 9110 10.1.1)',
    input: 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx',
    expected: ['POST / HTTP/1.1', 'Host: a', 'Expect: 100-Continue', 'Content-Length: 1', 'body "x"', 'end'],
  },
  {
    name: 'names that only look like framing',
    input:
      'GET / HTTP/1.1\r\nHost: a\r\nContent-Length-X: 5\r\nX-Transfer-Encoding: chunked\r\nContent_Length: 5\r\n\r\n',
    expected: [
      'GET / HTTP/1.1',
      'Host: a',
      'Content-Length-X: 5',
      'X-Transfer-Encoding: chunked',
      'Content_Length: 5',
      'end',
    ],
  },
  {
    name: 'framing fields in trailers mean nothing (RFC 9110 6.5.1)',
    input:
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\n\r\n' +
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    expected: ['POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', 'end', 'GET / HTTP/1.1', 'Host: a', 'end'],
  },
];

/** Hosts of RFC 9112 3.2 and RFC 3986 3.2.2: names, addresses, literals, escapes, ports. */
const HOSTS = [
  'a',
  'localhost',
  'example.com.',
  'sub_domain.example',
  '127.0.0.1',
  '999.1.1.1', // a name, as the grammar goes
  "-._~!$&'()*+;=",
  '%41',
  'b%C3%BCcher.example',
  '%00%ff',
  '[::]',
  '[::1]',
  '[1:2:3:4:5:6:7:8]',
  '[1::8]',
  '[1:2:3:4:5:6:7::]',
  '[2001:DB8::Ab]',
  '[::ffff:127.0.0.1]',
  '[64:ff9b::1.2.3.4]',
  '[v1.a:b]',
  '[vF0.~]',
].flatMap((host) => ['', ':', ':0', ':80', ':00080', ':65535'].map((port) => host + port));

for (const host of HOSTS) {
  test(`Host: ${host} is a host`, (t) => {
    t.deepEqual(readRequests([Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)]), [
      'GET / HTTP/1.1',
      `Host: ${host}`,
      'end',
    ]);
    const absolute = readRequests([Buffer.from(`GET http://${host}/a HTTP/1.1\r\nHost: a\r\n\r\n`)]);
    t.deepEqual(absolute, [`GET http://${host}/a HTTP/1.1`, 'Host: a', 'end']);
  });
}

/** A field for each length of value from `first` to `last`. */
function lengths(first: number, last: number): string {
  let lines = '';
  for (let length = first; length <= last; length++) lines += `L${length}: ${'v'.repeat(length)}\r\n`;
  return lines;
}

for (const { name, input, expected } of ROWS) {
  test(name, (t) => {
    t.deepEqual(sameHoweverCut(t, input, readRequests), expected);
  });
}

test('a message that stays incomplete says nothing', (t) => {
  for (const input of [
    '',
    '\r',
    '\r\n',
    'GET',
    'GET / HTTP/1.1',
    'GET / HTTP/1.1\r\nHost: a\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r',
  ]) {
    t.deepEqual(readRequests([Buffer.from(input)]), [], JSON.stringify(input));
  }
});

test('the end of input in the middle of a message is an error, between messages it is not', (t) => {
  const complete = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
  t.deepEqual(readRequests([Buffer.from('')], {}, true), []);
  t.deepEqual(readRequests([Buffer.from(complete)], {}, true), ['GET / HTTP/1.1', 'Host: a', 'end']);
  for (let length = 1; length < complete.length; length++) {
    t.deepEqual(readRequests([Buffer.from(complete.slice(0, length))], {}, true), ['error CUT_SHORT']);
  }
  const body = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab';
  t.is(readRequests([Buffer.from(body)], {}, true).at(-1), 'error CUT_SHORT');
  const chunks = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n';
  t.is(readRequests([Buffer.from(chunks)], {}, true).at(-1), 'error CUT_SHORT');
});
