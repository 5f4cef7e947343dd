// What the request parser refuses: everything that two readers could understand differently, grouped by the rule it breaks.
// Each row is tried whole, byte by byte and cut at every place, and must be refused with the same code each time.
import test from 'ava';
import { HttpError, type HttpErrorCode, RequestParser, Router } from '../../src/http/index.js';
import { readRequests, sameHoweverCut } from './read-messages.js';
import { RawClient, testSecurely } from './served.js';

interface Group {
  readonly rule: string;
  readonly code: HttpErrorCode;
  readonly inputs: string[];
}

const HOST = 'Host: a\r\n';
const GET = `GET / HTTP/1.1\r\n${HOST}`;
const POST = `POST / HTTP/1.1\r\n${HOST}`;
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
/** What a smuggler hopes that somebody takes for a request of its own. */
const SMUGGLED = `GET /admin HTTP/1.1\r\n${HOST}\r\n`;

const GROUPS: Group[] = [
  {
    rule: 'RFC 9112 3: a method is a token and one space follows it',
    code: 'METHOD',
    inputs: [
      ' GET / HTTP/1.1\r\n',
      'GET\t/ HTTP/1.1\r\n',
      'G\x00T / HTTP/1.1\r\n',
      'GET@ / HTTP/1.1\r\n',
      'G\xe9T / HTTP/1.1\r\n',
      'GET\r\n',
      '{"a":1}',
      '\x16\x03\x01\x02',
      '\n\nGET',
    ],
  },
  {
    rule: 'RFC 9112 3.2: a target is not empty, has no spaces, control bytes, fragment or bytes from 0x80 on',
    code: 'TARGET',
    inputs: [
      'GET  / HTTP/1.1\r\n',
      'GET /\t HTTP/1.1\r\n',
      'GET /\x00 HTTP/1.1\r\n',
      'GET /\x7f HTTP/1.1\r\n',
      'GET /\xc3\xa9 HTTP/1.1\r\n',
      'GET /\xff HTTP/1.1\r\n',
      'GET /a#b HTTP/1.1\r\n',
      'GET /"a" HTTP/1.1\r\n',
      'GET /a\\b HTTP/1.1\r\n',
      'GET /<a> HTTP/1.1\r\n',
      'GET /a|b HTTP/1.1\r\n',
      'GET /a\r HTTP/1.1\r\n',
      'GET /\r\n',
      'GET \r\n',
    ],
  },
  {
    rule: 'RFC 9112 3.2.1 to 3.2.4: a target has one of the four forms that its method allows',
    code: 'TARGET',
    inputs: [
      'GET products HTTP/1.1\r\n',
      'GET * HTTP/1.1\r\n',
      'OPTIONS ** HTTP/1.1\r\n',
      'GET host:80 HTTP/1.1\r\n',
      'GET ftp://host/ HTTP/1.1\r\n',
      'GET http:// HTTP/1.1\r\n',
      'GET http:///path HTTP/1.1\r\n',
      'GET http:/host/ HTTP/1.1\r\n',
      'GET http://host:port/ HTTP/1.1\r\n',
      'GET http://host:99999/ HTTP/1.1\r\n',
      'GET http://[::1/ HTTP/1.1\r\n',
      'CONNECT / HTTP/1.1\r\n',
      'CONNECT host HTTP/1.1\r\n',
      'CONNECT host: HTTP/1.1\r\n',
      'CONNECT http://host:80/ HTTP/1.1\r\n',
    ],
  },
  {
    rule: 'RFC 3986 2.1: "%" is followed by two hexadecimal digits, wherever in the target it stands',
    code: 'TARGET_ESCAPE',
    inputs: [
      'GET /%zz HTTP/1.1\r\n',
      'GET /%4 HTTP/1.1\r\n',
      'GET /% HTTP/1.1\r\n',
      'GET /%%41 HTTP/1.1\r\n',
      'GET /%4g HTTP/1.1\r\n',
      'GET /%g4 HTTP/1.1\r\n',
      'GET /%-1 HTTP/1.1\r\n',
      'GET /a%41%4/b HTTP/1.1\r\n',
      'GET /nowhere/%zz HTTP/1.1\r\n',
      'GET /?%zz HTTP/1.1\r\n',
      'GET /a?b=%4 HTTP/1.1\r\n',
      'GET /%41?% HTTP/1.1\r\n',
      'GET http://host/%zz HTTP/1.1\r\n',
      'GET http://host?%z HTTP/1.1\r\n',
      'OPTIONS http://ho%st HTTP/1.1\r\n',
      'CONNECT ho%zzst:80 HTTP/1.1\r\n',
    ],
  },
  {
    rule: 'RFC 3986 2.5: the path, percent-escapes undone, is UTF-8',
    code: 'PATH_NOT_UTF8',
    inputs: [
      'GET /%ff HTTP/1.1\r\n',
      'GET /%C3 HTTP/1.1\r\n',
      'GET /%C3/%A9 HTTP/1.1\r\n',
      'GET /%C3%28 HTTP/1.1\r\n',
      'GET /%C0%AF HTTP/1.1\r\n', // "/" in two bytes
      'GET /%C1%81 HTTP/1.1\r\n',
      'GET /%E0%80%AF HTTP/1.1\r\n',
      'GET /%ED%A0%80 HTTP/1.1\r\n', // half a surrogate pair
      'GET /%F4%90%80%80 HTTP/1.1\r\n', // past U+10FFFF
      'GET /%F8%88%80%80%80 HTTP/1.1\r\n',
      'GET /%80 HTTP/1.1\r\n',
      'GET /a/%e2%82?x HTTP/1.1\r\n',
      'GET http://host/%ff HTTP/1.1\r\n',
    ],
  },
  {
    rule: 'RFC 9110 4.2.4: no user information in an http URI',
    code: 'TARGET',
    inputs: [
      'GET http://user@host/ HTTP/1.1\r\n',
      'GET http://user:password@host:80/ HTTP/1.1\r\n',
      'CONNECT user@host:80 HTTP/1.1\r\n',
    ],
  },
  {
    rule: 'RFC 9112 2.3: HTTP-version is upper case, one digit, a dot, one digit, and the line ends there',
    code: 'VERSION',
    inputs: [
      'GET / http/1.1\r\n',
      'GET / Http/1.1\r\n',
      'GET / HTTP/1.1 \r\n',
      'GET / HTTP/1.0HTTP/1.1\r\n',
      'GET / HTTP/HTTP/1.1\r\n',
      'GET / HHTTP/1.1\r\n',
      'GET / HTTP/1.1\t\r\n',
      'GET /  HTTP/1.1\r\n',
      'GET / HTTP/11\r\n',
      'GET / HTTP/1.10\r\n',
      'GET / HTTP/01.1\r\n',
      'GET / HTTP/2.10\r\n',
      'GET / HTTP/2.0 \r\n',
      'GET / HTTP/2.0x\r\n',
      'GET / HTTP/2\r\n',
      'GET / HTTP/2.\r\n',
      'GET / HTTP/.1\r\n',
      'GET / HTTP/a.1\r\n',
      'GET / HTTP/1,1\r\n',
      'GET / HTTP/+1.1\r\n',
      'GET / HTTP 1.1\r\n',
      'GET / HTTPS/1.1\r\n',
      'GET / RTSP/1.0\r\n',
      'GET / \r\n',
      'GET /foo bar/ HTTP/1.1\r\n',
    ],
  },
  {
    rule: 'RFC 9110 15.6.6: only HTTP with the major version 1 is spoken here',
    code: 'VERSION_UNSUPPORTED',
    inputs: ['GET / HTTP/2.0\r\n', 'GET / HTTP/0.9\r\n', 'GET / HTTP/3.1\r\n', 'GET / HTTP/9.9\r\n'],
  },
  {
    rule: 'RFC 9112 2.2: every line ends in CR LF; a bare CR or LF ends nothing',
    code: 'LINE_ENDING',
    inputs: [
      '\rGET / HTTP/1.1\r\n',
      'GET /\nHost: a\n\n',
      'GET / HTTP/1.1\nHost: a\n\n',
      'GET / HTTP/1.1\rHost: a\r\n',
      'GET / HTTP/1.1\r\r\n',
      `${GET}\nGET`,
      `${GET}\rGET`,
      `${GET}\r\r\n`,
      `${GET}X: a\nY: b\r\n`,
      `${GET}X: a\rY: b\r\n`,
      `${GET}X: a\r\r\n`,
      `${GET}X:\nTransfer-Encoding: chunked\r\n`,
      `${GET}X:\rTransfer-Encoding: chunked\r\n`,
      `${GET}X\nY: b\r\n`,
      `${GET}X\rY: b\r\n`,
      `${CHUNKED}0\r\nX: a\n\r\n`,
      `${CHUNKED}0\r\n\n`,
    ],
  },
  {
    rule: 'RFC 9112 2.2: not more empty lines before a request than anybody needs',
    code: 'BLANK_LINES',
    inputs: ['\r\n\r\n\r\n'],
  },
  {
    rule: 'RFC 9112 5.1: a field name is a token, and the colon follows at once',
    code: 'FIELD_NAME',
    inputs: [
      `${GET}X : a\r\n`,
      `${GET}X\t: a\r\n`,
      `${POST}Content-Length : 5\r\n`,
      `${POST}Transfer-Encoding : chunked\r\n`,
      `${POST}Transfer-Encoding\x0b: chunked\r\n`,
      `${POST}Transfer\xadEncoding: chunked\r\n`,
      `${GET}: a\r\n`,
      `${GET}X\x00: a\r\n`,
      `${GET}X"Y: a\r\n`,
      `${GET}X@: a\r\n`,
      `${GET}\xe9: a\r\n`,
      `${GET}name value\r\n`,
      'GET / HTTP/1.1\r\n\x00Host: a\r\n',
      `${CHUNKED}0\r\nX : a\r\n\r\n`,
    ],
  },
  {
    rule: 'RFC 9112 5.2 and 2.2: no folded lines, and no white space before the first field',
    code: 'FIELD_FOLDED',
    inputs: [
      `${GET}X: a\r\n b\r\n`,
      `${GET}X: a\r\n\tb\r\n`,
      `${POST}X-Before: y\r\n\tTransfer-Encoding: chunked\r\n`,
      'GET / HTTP/1.1\r\n Host: a\r\n',
      'GET / HTTP/1.1\r\n\tHost: a\r\n',
      `${GET} \r\n`,
      `${CHUNKED}0\r\n X: a\r\n`,
    ],
  },
  {
    rule: 'RFC 9110 5.5: no control bytes in a field value',
    code: 'FIELD_VALUE',
    inputs: [
      `${GET}X: a\x00b\r\n`,
      `${GET}X: a\x0bb\r\n`,
      `${GET}X: a\x0cb\r\n`,
      `${GET}X: a\x1b\r\n`,
      `${GET}X: a\x7f\r\n`,
      `${GET}X: ${'long '.repeat(10)}\x00${'long '.repeat(10)}\r\n`,
      `${GET}X: ${'long '.repeat(10)}\x7f${'long '.repeat(10)}\r\n`,
      `${POST}Transfer-Encoding: \x0bchunked\r\n`,
      `${POST}Transfer-Encoding: chunked\x00\r\n`,
    ],
  },
  {
    rule: 'RFC 9112 3.2: one Host',
    code: 'HOST_REPEATED',
    inputs: [`${GET}Host: a\r\n`, `${GET}HOST: b\r\n`, `${GET}X: y\r\nhost:\r\n`],
  },
  {
    rule: 'RFC 9112 3.2, RFC 9110 7.2 and 4.2.1: Host is a host and perhaps a port',
    code: 'HOST',
    inputs: [
      'Host:',
      'Host: ',
      'Host: a b',
      'Host: a, b',
      'Host: a,b',
      'Host: a/b',
      'Host: user@a',
      'Host: http://a',
      'Host: a?b',
      'Host: a:b',
      'Host: a:80:80',
      'Host: a:-1',
      'Host: a:65536',
      'Host: :80',
      'Host: [::1',
      'Host: ::1',
      'Host: []',
      'Host: [::1]a',
      'Host: a\\b',
      'Host: "a"',
      'Host: a\xe9',
      'Host: a%',
      'Host: a%4',
      'Host: a%zz',
      'Host: %',
      'Host: %41%',
      'Host: [',
      'Host: ]',
      'Host: []:80',
      'Host: [1]',
      'Host: [1.2.3.4]',
      'Host: [a]',
      'Host: [:]',
      'Host: [:::]',
      'Host: [1:2:3:4:5:6:7]',
      'Host: [1:2:3:4:5:6:7:8:9]',
      'Host: [1::2::3]',
      'Host: [12345::]',
      'Host: [g::1]',
      'Host: [::1.2.3]',
      'Host: [::256.2.3.4]',
      'Host: [::1%25eth0]',
      'Host: [fe80::1%eth0]',
      'Host: [::1]80',
      'Host: [::1]:a',
      'Host: [::1]]',
      'Host: [[::1]]',
      'Host: [v.a]',
      'Host: [v1]',
      'Host: [v1.]',
      'Host: [vg.a]',
      'Host: [v1.a/b]',
      'Host: [v1.a%41]',
      'Host: a[::1]',
      'Host: a:0x50',
      'Host: a: 80',
      'Host: a:+80',
      'Host: a:8 0',
      'Host: a:99999999999999999999',
    ].map((line) => `GET / HTTP/1.1\r\n${line}\r\n`),
  },
  {
    rule: 'RFC 9110 10.1.1: the only expectation is 100-continue',
    code: 'EXPECTATION',
    inputs: [
      `${POST}Expect: 200-ok\r\n`,
      `${POST}Expect:\r\n`,
      `${POST}Expect: 100-continue, other\r\n`,
      `${POST}expect: 100-continued\r\n`,
    ],
  },
  {
    rule: 'RFC 9112 6.3: Content-Length is digits and nothing else',
    code: 'CONTENT_LENGTH',
    inputs: [
      '',
      ' ',
      '+1',
      '-1',
      '0x1',
      '1.0',
      '1e1',
      '5, 5',
      '5,5',
      '5;5',
      '4 2',
      '\t4\t2',
      '"5"',
      '\xb2',
      'five',
    ].map((value) => `${POST}Content-Length: ${value}\r\n`),
  },
  {
    rule: 'RFC 9112 6.3: one Content-Length, not even an equal one twice',
    code: 'CONTENT_LENGTH_REPEATED',
    inputs: [
      `${POST}Content-Length: 5\r\nContent-Length: 6\r\n`,
      `${POST}Content-Length: 5\r\ncontent-length: 5\r\n`,
      `${POST}Content-Length: 0\r\nX: y\r\nContent-Length: 0\r\n`,
    ],
  },
  {
    rule: 'RFC 9110 8.6: a length that no integer holds',
    code: 'CONTENT_LENGTH_HUGE',
    inputs: [
      `${POST}Content-Length: 99999999999999999999\r\n`,
      `${POST}Content-Length: 18446744073709551617\r\n`,
      `${POST}Content-Length: 1000000000000000\r\n`,
    ],
  },
  {
    rule: 'RFC 9112 6.1: Content-Length and Transfer-Encoding exclude each other (CL.TE, TE.CL)',
    code: 'FRAMING_CONFLICT',
    inputs: [
      `${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX`,
      `${POST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nZ\r\n0\r\n\r\n${SMUGGLED}`,
      `${POST}Content-Length: 0\r\nTransfer-Encoding: identity\r\n\r\n`,
      `${POST}Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: 0\r\n\r\n`,
    ],
  },
  {
    rule: 'RFC 9112 6.3: a transfer coding ends in exactly one chunked, spelled so (TE.TE)',
    code: 'TRANSFER_ENCODING',
    inputs: [
      'identity',
      'gzip',
      'xchunked',
      'chunkedx',
      'chunked, identity',
      'chunked, gzip',
      'chunked, chunked',
      'chunked chunked',
      'chunked;q=1',
      'chunked; foo',
      '"chunked"',
      "'chunked'",
      'chun ked',
      'chunked\r\nTransfer-Encoding: chunked',
      'chunked\r\nTransfer-Encoding: identity',
      'chunked\r\nTransfer-Encoding: x',
      'chunked\r\nTransfer-Encoding:',
    ].map((value) => `${POST}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`),
  },
  {
    // RFC 9110 5.6.1.2 lets a list have empty elements. This list decides where a message ends; some readers take "chunked,"
    // for chunked and some for a coding that they do not know, so nobody may be led to disagree with us about it.
    rule: 'stricter than RFC 9110 5.6.1.2: no empty elements in Transfer-Encoding',
    code: 'TRANSFER_ENCODING',
    inputs: [
      'chunked,',
      ',chunked',
      ', chunked',
      '',
      ',',
      'chunked, ,',
      'x, ,chunked',
      'chunked,\r\nTransfer-Encoding:',
    ].map((value) => `${POST}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`),
  },
  {
    rule: 'RFC 9112 6.1: codings before chunked that are not implemented',
    code: 'TRANSFER_ENCODING_UNKNOWN',
    inputs: [
      `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n`,
      `${POST}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`,
      `${POST}Transfer-Encoding: x;y=z,chunked\r\n\r\n`,
    ],
  },
  {
    rule: 'RFC 9112 6.1: no Transfer-Encoding in HTTP/1.0',
    code: 'TRANSFER_ENCODING_HTTP_1_0',
    inputs: [
      'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
  },
  {
    // 7.1.1 lets white space stand around ";" and "=". Nobody sends it, and readers disagreed about what it means: one took
    // "5 " for a size and another did not, which is how requests get smuggled past a proxy.
    rule: 'stricter than RFC 9112 7.1.1: a chunk size is hexadecimal digits, CR LF or ";" right behind them, and not too many',
    code: 'CHUNK_SIZE',
    inputs: [
      '\r\n',
      ' 5\r\nhello\r\n',
      '5 \r\nhello\r\n',
      '5\t\r\nhello\r\n',
      '\t5\r\nhello\r\n',
      '0x5\r\nhello\r\n',
      '+5\r\nhello\r\n',
      '-5\r\nhello\r\n',
      '5h\r\nhello\r\n',
      '5,5\r\nhello\r\n',
      '5\nhello\r\n',
      '5\rhello\r\n',
      '5\r\rhello\r\n',
      '5 ;a\r\nhello\r\n',
      '5\x00\r\nhello\r\n',
      ';a=b\r\n',
      'fffffffffffffffff\r\n',
      '10000000000000005\r\nhello\r\n',
      '00000000000005\r\nhello\r\n',
    ].map((chunk) => CHUNKED + chunk),
  },
  {
    rule: 'stricter than RFC 9112 7.1.1: a chunk extension is ";" token, perhaps "=" and a value, without white space',
    code: 'CHUNK_EXTENSION',
    inputs: [
      '5;\r\nhello\r\n',
      '5; a\r\nhello\r\n',
      '5;a \r\nhello\r\n',
      '5;a =b\r\nhello\r\n',
      '5;a= b\r\nhello\r\n',
      '5;a=\r\nhello\r\n',
      '5;=b\r\nhello\r\n',
      '5;a=b=c\r\nhello\r\n',
      '5;a="b\r\nhello\r\n',
      '5;a="b"c\r\nhello\r\n',
      '5;a="b\\\r\nhello\r\n',
      '5;a=b\nhello\r\n',
      '5;a\nhello\r\n',
      '5;a="\x00"\r\nhello\r\n',
      '5;;a\r\nhello\r\n',
      '5;a=\x7f\r\nhello\r\n',
    ].map((chunk) => CHUNKED + chunk),
  },
  {
    rule: 'RFC 9112 7.1: CR LF follows the data, where the size says and nowhere else',
    code: 'CHUNK_END',
    inputs: [
      '5\r\nhello0\r\n\r\n',
      '5\r\nhello\n0\r\n\r\n',
      '5\r\nhello!\r\n0\r\n\r\n',
      '5\r\nhello\r0\r\n\r\n',
      `4\r\nhello\r\n0\r\n\r\n${SMUGGLED}`,
      '5\r\nhello \r\n0\r\n\r\n',
    ].map((chunk) => CHUNKED + chunk),
  },
];

for (const { rule, code, inputs } of GROUPS) {
  test(`${rule}: ${code}`, (t) => {
    for (const input of inputs) {
      // A line is judged when it has come, so one that is left open here is ended.
      const lines = sameHoweverCut(t, input.endsWith('\n') ? input : `${input}\r\n`, readRequests);
      t.is(lines.at(-1), `error ${code}`, JSON.stringify(input));
      t.false(lines.includes('end'), `nothing of ${JSON.stringify(input)} may pass for a request`);
    }
  });
}

testSecurely('each of them is refused on a real connection, and what follows it is not read', async (t, serve) => {
  const router = new Router().add('GET', '/admin', () => t.fail('a smuggled request has reached its handler'));
  await using served = await serve({ router });
  for (const { code, inputs } of GROUPS) {
    for (const input of inputs) {
      using client = new RawClient(served.port);
      client.write(Buffer.from(`${input.endsWith('\n') ? input : `${input}\r\n`}${SMUGGLED}`, 'latin1'));
      t.is((await client.answer(input.startsWith('HEAD'))).status, new HttpError(code).status, JSON.stringify(input));
      t.is(await client.rest(), '', JSON.stringify(input));
    }
  }
});

test('after a refusal nothing more is read', (t) => {
  const lines = readRequests([Buffer.from('GET / HTTP/3.0\r\n'), Buffer.from(SMUGGLED)]);
  t.deepEqual(lines, ['error VERSION_UNSUPPORTED']);
});

test('what a refusal says is the same however the bytes were cut', (t) => {
  const rows: [request: string, message: string][] = [
    ['GET /%41"\r\n', `malformed request target: '"' (0x22) at character 5`],
    ['GET /%41 HTTP/1,1\r\n', 'malformed HTTP version'],
    ['GET /%4x HTTP/1.1\r\n', "malformed percent-escape in the request target: '%4x' at character 2"],
    ['G@T / HTTP/1.1\r\n', "malformed method: '@' (0x40) at character 2"],
    [`${GET}X: y\r\nA\x7f: b\r\n`, 'malformed header name: 0x7f at character 2 of line 3'],
    [`${GET}X: y\r\nA: b\x00\r\n`, 'control character in a header: 0x00 at character 5 of line 3'],
    [`${CHUNKED}0\r\nA:\x01\r\n`, 'control character in a header: 0x01 at character 3 of line 1'],
    [`${GET}X: ${'x'.repeat(20_000)}\x00\r\n`, 'headers too large'],
  ];
  for (const [request, message] of rows) {
    const bytes = Buffer.from(request, 'latin1');
    for (let cut = 0; cut <= Math.min(bytes.length, 200); cut++) {
      const parser = new RequestParser();
      let event = '';
      for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        parser.feed(Buffer.from(piece));
        do event = parser.next();
        while (event !== 'need-more' && event !== 'error');
      }
      t.is(parser.error?.message, message, `${JSON.stringify(request.slice(0, 60))} cut at ${cut}`);
    }
  }
});
