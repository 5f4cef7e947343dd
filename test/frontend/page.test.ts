// The page as it is served: what a browser may do with it, keep of it, and how much it has to load.

import anyTest, { type TestFn } from 'ava';
import { addPage } from '../../src/frontend/page.js';
import { Router } from '../../src/http/index.js';
import { type Served, serve } from '../http/served.js';
import { call } from '../support/store-client.js';

/** Of the page and all that it loads, as sent to a browser of this time. */
const COMPRESSED_BYTES_MAX = 120_000;
const CODINGS = { br: 'gzip, deflate, br', gzip: 'gzip' };

const test = anyTest as TestFn<{ served: Served; assets: string[] }>;

test.before(async (t) => {
  const served = await serve({ router: addPage(new Router()) });
  t.context.served = served;
  const { body } = await call(served.port, 'GET', '/');
  const linked = [...body.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
  const assets = new Set(linked);
  // Modules load each other by their names in the same folder.
  for (const path of assets) {
    if (!path.endsWith('.js')) continue;
    const script = (await call(served.port, 'GET', path)).body;
    for (const [, name] of script.matchAll(/from '\.\/([\w-]+\.js)'/g)) {
      assets.add(path.replace(/[^/]+$/, name ?? ''));
    }
  }
  t.context.assets = [...assets];
});

test.after.always((t) => t.context.served[Symbol.asyncDispose]());

test('it may load and call this store alone', async (t) => {
  const { headers } = await call(t.context.served.port, 'GET', '/');
  t.is(headers['content-type'], 'text/html; charset=utf-8');
  const policy = (headers['content-security-policy'] ?? '').split('; ').map((rule) => rule.split(' '));
  t.true(policy.some((rule) => rule.join(' ') === "default-src 'none'"));
  for (const [directive, ...sources] of policy) {
    t.true(sources.length === 1 && ["'none'", "'self'"].includes(sources[0]!), directive);
  }
  for (const directive of ['base-uri', 'form-action', 'frame-ancestors']) {
    t.true(
      policy.some(([name]) => name === directive),
      directive,
    );
  }
  t.is(headers['x-content-type-options'], 'nosniff');
  t.is(headers['referrer-policy'], 'no-referrer');
});

test('the page is asked for again each time, and is not sent again while it is the same', async (t) => {
  const { port } = t.context.served;
  const { headers } = await call(port, 'GET', '/');
  t.is(headers['cache-control'], 'no-cache');
  const again = await call(port, 'GET', '/', { headers: { 'If-None-Match': headers.etag ?? '' } });
  t.is(again.status, 304);
  t.is(again.body, '');
  const head = await call(port, 'HEAD', '/');
  t.deepEqual([head.status, head.headers.etag, head.body], [200, headers.etag, '']);
});

test('what it loads is there, and is kept for a year', async (t) => {
  const { served, assets } = t.context;
  t.true(assets.length >= 9, assets.join());
  for (const path of assets) {
    const { status, headers } = await call(served.port, 'GET', path);
    t.is(status, 200, path);
    t.is(headers['cache-control'], 'public, max-age=31536000, immutable', path);
  }
  t.is((await call(served.port, 'GET', '/assets/000000000000/main.js')).status, 404);
});

for (const [coding, accepted] of Object.entries(CODINGS)) {
  test(`all of it together, ${coding}: below ${COMPRESSED_BYTES_MAX} bytes`, async (t) => {
    const { served, assets } = t.context;
    let bytes = 0;
    for (const path of ['/', ...assets]) {
      const { headers } = await call(served.port, 'GET', path, { headers: { 'Accept-Encoding': accepted } });
      t.is(headers['content-encoding'], coding, path);
      bytes += Number(headers['content-length']);
    }
    t.log(`${bytes} bytes`);
    t.true(bytes > 10_000 && bytes < COMPRESSED_BYTES_MAX, `${bytes} bytes`);
  });
}
