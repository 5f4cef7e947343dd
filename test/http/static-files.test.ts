// A folder served over real sockets: codings, conditions, caching, and paths that try to lead out of it.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import anyTest, { type TestFn } from 'ava';
import fc from 'fast-check';
import { Router, StaticFiles, StaticFilesError, type StaticFilesOptions } from '../../src/http/index.js';
import { RawClient, type Served, serve } from './served.js';

const SCRIPT = 'console.log("toys");\n'.repeat(200);
const PAGE = '<!doctype html><p>Tüx</p>';
const SECRET = 'the content of a file outside';
const OPTIONS: StaticFilesOptions = {
  immutable: /-[0-9a-f]{8}\./,
  headers: { 'Content-Security-Policy': "default-src 'self'" },
};

const test = anyTest as TestFn<{ parent: string; folder: string; served: Served; client: RawClient }>;

test.before(async (t) => {
  const parent = mkdtempSync(path.join(tmpdir(), 'static-'));
  const folder = path.join(parent, 'public');
  mkdirSync(path.join(folder, 'deep/er'), { recursive: true });
  writeFileSync(path.join(parent, 'secret.txt'), SECRET);
  writeFileSync(path.join(folder, 'index.html'), PAGE);
  writeFileSync(path.join(folder, 'app-0123abcd.js'), SCRIPT);
  writeFileSync(path.join(folder, 'deep/er/style.css'), 'p { color: red }');
  writeFileSync(path.join(folder, 'Tüx & co.txt'), 'named oddly');
  writeFileSync(path.join(folder, 'noise.bin'), Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
  writeFileSync(path.join(folder, 'ready.svg'), '<svg/>');
  writeFileSync(path.join(folder, 'ready.svg.br'), brotliCompressSync('<svg/>'));
  writeFileSync(path.join(folder, 'ready.svg.gz'), gzipSync('<svg/>'));
  writeFileSync(path.join(folder, 'alone.gz'), gzipSync('of nothing'));
  writeFileSync(path.join(folder, '.hidden'), SECRET);
  writeFileSync(path.join(folder, 'empty.txt'), '');
  symlinkSync('../secret.txt', path.join(folder, 'link.txt'));
  symlinkSync('..', path.join(folder, 'up'));
  const files = new StaticFiles(folder, OPTIONS);
  const router = new Router().add('GET', '/', files.handler('index.html'));
  files.addTo(router, '/assets');
  const served = await serve({ router });
  t.context = { parent, folder, served, client: new RawClient(served.port) };
});

test.after.always(async (t) => {
  const { parent, served, client } = t.context;
  client?.[Symbol.dispose]();
  await served?.[Symbol.asyncDispose]();
  rmSync(parent, { recursive: true });
});

async function ask(client: RawClient, target: string, headers = '', method = 'GET') {
  client.write(`${method} ${target} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`);
  return await client.answer(method === 'HEAD');
}

const bytesOf = (body: string): Buffer => Buffer.from(body, 'latin1');

test.serial('each file has its content, type and a strong tag', async (t) => {
  const { client } = t.context;
  const rows: [target: string, contentType: string, body: string | Buffer][] = [
    ['/', 'text/html; charset=utf-8', PAGE],
    ['/assets/index.html', 'text/html; charset=utf-8', PAGE],
    ['/assets/index.html?x=1', 'text/html; charset=utf-8', PAGE],
    ['/assets/app-0123abcd.js', 'text/javascript; charset=utf-8', SCRIPT],
    ['/assets/deep/er/style.css', 'text/css; charset=utf-8', 'p { color: red }'],
    ['/assets/T%C3%BCx%20&%20co.txt', 'text/plain; charset=utf-8', 'named oddly'],
    ['/assets/noise.bin', 'application/octet-stream', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['/assets/ready.svg', 'image/svg+xml; charset=utf-8', '<svg/>'],
    ['/assets/alone.gz', 'application/octet-stream', gzipSync('of nothing')],
    ['/assets/empty.txt', 'text/plain; charset=utf-8', ''],
  ];
  for (const [target, contentType, body] of rows) {
    const answer = await ask(client, target);
    t.is(answer.status, 200, target);
    t.is(answer.headers['content-type'], contentType);
    t.deepEqual(bytesOf(answer.body), Buffer.from(body as string));
    t.regex(answer.headers.etag!, /^"[\w-]{20}"$/);
    t.is(answer.headers['content-encoding'], undefined);
    t.is(answer.headers['accept-ranges'], 'none');
    t.is(answer.headers['x-content-type-options'], 'nosniff');
    t.is(answer.headers['content-security-policy'], "default-src 'self'");
  }
});

test.serial('names with a hash are cached for a year, all others are asked for again', async (t) => {
  const { client } = t.context;
  const immutable = await ask(client, '/assets/app-0123abcd.js');
  t.is(immutable.headers['cache-control'], 'public, max-age=31536000, immutable');
  t.is((await ask(client, '/assets/index.html')).headers['cache-control'], 'no-cache');
});

test.serial('codings: made at the start or ready beside the file, each with a tag of its own', async (t) => {
  const { client } = t.context;
  const tags = new Set<string>();
  for (const [target, content] of [
    ['/assets/app-0123abcd.js', SCRIPT],
    ['/assets/ready.svg', '<svg/>'],
  ] as const) {
    const plain = await ask(client, target, 'Accept-Encoding: identity\r\n');
    t.is(plain.body, content);
    const gzip = await ask(client, target, 'Accept-Encoding: gzip\r\n');
    t.is(gzip.headers['content-encoding'], 'gzip');
    t.is(gunzipSync(bytesOf(gzip.body)).toString(), content);
    const br = await ask(client, target, 'Accept-Encoding: gzip, deflate, br\r\n');
    t.is(br.headers['content-encoding'], 'br');
    t.is(brotliDecompressSync(bytesOf(br.body)).toString(), content);
    for (const { headers } of [plain, gzip, br]) {
      tags.add(headers.etag!);
      t.is(headers.vary, 'Accept-Encoding');
    }
    t.is((await ask(client, target, 'Accept-Encoding: identity;q=0\r\n')).status, 406);
  }
  t.is(tags.size, 6);
  const small = await ask(client, '/assets/index.html', 'Accept-Encoding: gzip, br\r\n');
  t.is(small.headers['content-encoding'], undefined, 'not worth it');
  t.is(small.headers.vary, undefined);
  for (const target of ['/assets/ready.svg.br', '/assets/ready.svg.gz']) t.is((await ask(client, target)).status, 404);
});

test.serial('HEAD says what GET would, of the same coding', async (t) => {
  const { client } = t.context;
  for (const coding of ['identity', 'gzip', 'br']) {
    const headers = `Accept-Encoding: ${coding}\r\n`;
    const get = await ask(client, '/assets/app-0123abcd.js', headers);
    const head = await ask(client, '/assets/app-0123abcd.js', headers, 'HEAD');
    t.is(head.body, '');
    t.is(head.headers['content-length'], String(get.body.length));
    t.deepEqual({ ...head.headers, date: '' }, { ...get.headers, date: '' });
  }
  t.is((await ask(client, '/assets/nothing', '', 'HEAD')).status, 404);
});

test.serial('304 for a tag that the client has: of this coding, weak or strong, in a list, or any', async (t) => {
  const { client } = t.context;
  const target = '/assets/app-0123abcd.js';
  const gzip = (await ask(client, target, 'Accept-Encoding: gzip\r\n')).headers.etag!;
  const plain = (await ask(client, target)).headers.etag!;
  const rows: [condition: string, accept: string, status: number][] = [
    [`If-None-Match: ${gzip}`, 'gzip', 304],
    [`If-None-Match: W/${gzip}`, 'gzip', 304],
    [`If-None-Match: "other", ${gzip}`, 'gzip', 304],
    [`If-None-Match: "other"\r\nIf-None-Match: ${gzip}`, 'gzip', 304],
    ['If-None-Match: *', 'gzip', 304],
    [`If-None-Match: ${plain}`, 'gzip', 200],
    [`If-None-Match: ${plain}`, 'identity', 304],
    [`If-None-Match: ${gzip}`, 'br', 200],
    ['If-None-Match: "other"', 'gzip', 200],
    [`If-None-Match: ${gzip.slice(1, -1)}`, 'gzip', 200],
    ['If-None-Match:', 'gzip', 200],
    [`If-Match: ${gzip}`, 'gzip', 200],
    ['If-Match: *', 'gzip', 200],
    [`If-Match: W/${gzip}`, 'gzip', 412],
    ['If-Match: "other"', 'gzip', 412],
    [`If-Match: ${gzip}\r\nIf-None-Match: ${gzip}`, 'gzip', 304],
    [`If-Match: "other"\r\nIf-None-Match: ${gzip}`, 'gzip', 412],
    // There is no date to compare with.
    ['If-Modified-Since: Sun, 06 Nov 2094 08:49:37 GMT', 'gzip', 200],
    ['If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT', 'gzip', 200],
  ];
  for (const [condition, accept, status] of rows) {
    for (const method of ['GET', 'HEAD']) {
      const headers = `Accept-Encoding: ${accept}\r\n${condition}\r\n`;
      client.write(`${method} ${target} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`);
      const answer = await client.answer(method === 'HEAD' || status === 304);
      t.is(answer.status, status, `${method} ${condition}`);
      if (status !== 304) continue;
      t.is(answer.headers.etag, accept === 'gzip' ? gzip : plain);
      t.is(answer.headers['cache-control'], 'public, max-age=31536000, immutable');
      t.is(answer.headers.vary, 'Accept-Encoding');
      t.is(answer.headers['content-type'], undefined);
      t.is(answer.headers['content-length'], undefined);
    }
  }
});

test.serial('Range is passed over: the whole file, and no promise of parts', async (t) => {
  const { client } = t.context;
  for (const range of ['bytes=0-3', 'bytes=-1', 'bytes=0-0,2-3', 'bytes=99999-', 'bytes=9-1', 'lines=1-2']) {
    const answer = await ask(client, '/assets/noise.bin', `Range: ${range}\r\nIf-Range: "x"\r\n`);
    t.is(answer.status, 200);
    t.is(answer.body.length, 256);
    t.is(answer.headers['content-range'], undefined);
    t.is(answer.headers['accept-ranges'], 'none');
  }
});

test.serial('other methods are not allowed', async (t) => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await ask(t.context.client, '/assets/index.html', '', method);
    t.is(answer.status, 405);
    t.is(answer.headers.allow, 'GET, HEAD, OPTIONS');
  }
});

const HOSTILE = [
  '/assets/../secret.txt',
  '/assets/..%2fsecret.txt',
  '/assets/%2e%2e/secret.txt',
  '/assets/%2e%2e%2fsecret.txt',
  '/assets/.%2e/secret.txt',
  '/assets/..%5csecret.txt',
  '/assets/..%5Csecret.txt',
  '/assets/%252e%252e/secret.txt',
  '/assets/%c0%ae%c0%ae/secret.txt',
  '/assets/%e0%80%ae./secret.txt',
  '/assets/deep/../../secret.txt',
  '/assets/deep/er/../../../secret.txt',
  '/assets/./index.html',
  '/assets/deep/../index.html',
  '/assets//index.html',
  '//assets/index.html',
  '/assets/index.html/',
  '/assets/index.html/..',
  '/assets/index.html%00',
  '/assets/index.html%00.txt',
  '/assets/%00',
  '/assets/',
  '/assets',
  '/assets/deep',
  '/assets/deep/er/',
  '/assets/deep%2fer%2fstyle.css',
  '/assets/.hidden',
  '/assets/%2ehidden',
  '/assets/link.txt',
  '/assets/up/secret.txt',
  '/assets/up/public/index.html',
  '/assets/INDEX.HTML',
  '/assets/index.html.gz',
  '/assets/index.html~',
  '/assets/index.html%20',
  '/assets/index.html.',
  '/assets/index.html::$DATA',
  '/assets/con',
  '/assets/%2fetc%2fpasswd',
  '/assets//etc/passwd',
  '/assets/..;/secret.txt',
  '/assets/%',
  'http://a/assets/../secret.txt',
];

for (const target of HOSTILE) {
  test(`no way out: ${target}`, async (t) => {
    using client = new RawClient(t.context.served.port);
    const answer = await ask(client, target);
    t.true(answer.status === 404 || answer.status === 400, `${answer.status}`);
    t.notRegex(answer.body, /outside|root:|doctype/);
  });
}

test('whatever the path and its encoding: a file of the folder by its exact name, or nothing', async (t) => {
  const { folder, served } = t.context;
  const names = new Set(new StaticFiles(folder).names);
  const piece = fc.constantFrom(
    '..',
    '.',
    '',
    'public',
    'deep',
    'er',
    'style.css',
    'index.html',
    'secret.txt',
    'up',
    'link.txt',
    '.hidden',
    'ready.svg',
    '\\',
    '~',
    'Tüx & co.txt',
  );
  const encode = (text: string, how: number): string => {
    if (how === 0) return encodeURIComponent(text);
    const bytes = [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`);
    return how === 1 ? bytes.join('') : bytes.join('').toUpperCase();
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(piece, fc.nat(2), fc.constantFrom('/', '%2f', '%2F', '%5c', '//')), { maxLength: 5 }),
      async (pieces) => {
        using client = new RawClient(served.port);
        const encoded = pieces.map(([text, how, separator]) => encode(text, how) + separator).join('');
        const target = `/assets/${encoded.replace(/(?:\/|%2f|%5c)+$/i, '')}`;
        const answer = await ask(client, target);
        const plain = target.slice('/assets/'.length).split('/').map(decodeURIComponent);
        const isFile = plain.every((part) => !part.includes('/')) && names.has(plain.join('/'));
        t.is(answer.status, isFile ? 200 : 404, target);
        t.notRegex(answer.body, /outside/);
      },
    ),
    { numRuns: 300 },
  );
});

test('metrics see one route for all files', async (t) => {
  const router = new Router();
  const routes: string[] = [];
  new StaticFiles(t.context.folder).addTo(router, '/assets');
  await using served = await serve({ router, onExchange: (route) => void routes.push(route) });
  using client = new RawClient(served.port);
  await ask(client, '/assets/index.html');
  await ask(client, '/assets/deep/er/style.css');
  t.deepEqual(routes, ['/assets/*', '/assets/*']);
});

test('a folder that cannot be served says why', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'static-bad-'));
  const error = (run: () => unknown) => t.throws(run, { instanceOf: StaticFilesError })?.message ?? '';
  t.regex(
    error(() => new StaticFiles(path.join(folder, 'nowhere'))),
    /cannot read the files to serve from .*ENOENT/,
  );
  writeFileSync(path.join(folder, 'a.js'), 'now');
  writeFileSync(path.join(folder, 'a.js.gz'), gzipSync('before'));
  t.regex(
    error(() => new StaticFiles(folder)),
    /a\.js\.gz is not what a\.js is/,
  );
  writeFileSync(path.join(folder, 'a.js.gz'), 'no gzip at all');
  t.regex(
    error(() => new StaticFiles(folder)),
    /a\.js\.gz is not what a\.js is/,
  );
  rmSync(path.join(folder, 'a.js.gz'));
  t.regex(
    error(() => new StaticFiles(folder).handler('b.js')),
    /no file b\.js among a\.js/,
  );
  writeFileSync(path.join(folder, ':name'), '');
  t.regex(
    error(() => new StaticFiles(folder)),
    /begins with ":"/,
  );
  rmSync(folder, { recursive: true });
});
