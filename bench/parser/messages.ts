// messages.ts: the requests that the parsers are measured on, and what a parser must have found in each.

/** One request and what is in it, for checking that everybody reads the same. */
export interface Message {
  readonly name: string;
  readonly bytes: Buffer;
  readonly fieldCount: number;
  readonly bodyBytes: number;
}

function message(name: string, lines: string[], body = ''): Message {
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
  return { name: `${name}, ${bytes.length} bytes`, bytes, fieldCount: lines.length - 1, bodyBytes: body.length };
}

const GET = message('GET of a product', ['GET /products/Tux HTTP/1.1', 'Host: 127.0.0.1:5000']);

const ORDER = '{"name":"Tux","quantity":1}';
const POST = message(
  "curl's POST of an order",
  [
    'POST /orders HTTP/1.1',
    'Host: 127.0.0.1:5000',
    'User-Agent: curl/7.88.1',
    'Accept: */*',
    'Content-Type: application/json',
    `Content-Length: ${ORDER.length}`,
  ],
  ORDER,
);

/** The request of picohttpparser's benchmark, which other parsers' benchmarks use as well. */
const BROWSER = browser('xxxxxxxxxx');

/** The same with another cookie each time, as long as the first: nothing of it can be remembered. */
const BROWSERS: readonly Message[] = Array.from({ length: 512 }, (_, index) =>
  browser(String(index).padStart(10, 'y')),
);

function browser(visit: string): Message {
  return message('request of a browser', [
    'GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1',
    'Host: www.kittyhell.com',
    'User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.6; ja-JP-mac; rv:1.9.2.3) Gecko/20100401 Firefox/3.6.3 Pathtraq/0.9',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: ja,en-us;q=0.7,en;q=0.3',
    'Accept-Encoding: gzip,deflate',
    'Accept-Charset: Shift_JIS,utf-8;q=0.7,*;q=0.7',
    'Keep-Alive: 115',
    'Connection: keep-alive',
    `Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=${visit}; __utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x; __utmz=xxxxxxxxx.xxxxxxxxxx.x.x.utmccn=(referral)|utmcsr=reader.livedoor.com|utmcct=/reader/|utmcmd=referral`,
  ]);
}

export const SMALL_GET = GET.name;
export const CHANGING = `${BROWSER.name}, another cookie each time`;

/** The cases by name, each with the messages that are read in turn. */
export const CASES: ReadonlyMap<string, readonly Message[]> = new Map([
  [SMALL_GET, [GET]],
  [POST.name, [POST]],
  [BROWSER.name, [BROWSER]],
  [CHANGING, BROWSERS],
]);
