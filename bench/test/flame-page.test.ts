import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { renderFlamePage } from '../profile/flame-page.js';
import { inBrowser, openPage } from './browser.js';

const TREE = {
  name: 'store',
  value: 10,
  children: [
    {
      name: 'frontend',
      value: 10,
      children: [{ name: 'parse </script> src/http/parser.js:1', value: 6, children: [] }],
    },
  ],
};

inBrowser('the flame graph is drawn, one box for each frame', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'toystore-flame-'));
  const page = path.join(folder, 'threads.html');
  await writeFile(page, renderFlamePage(TREE, 'a load'));
  const dom = openPage(page, path.join(folder, 'browser'));
  await rm(folder, { recursive: true, force: true });
  t.regex(dom, /data-drawn="3"/);
  t.regex(dom, /frontend: 10\.0 ms, 100\.0%/);
});

test('words from outside cannot end the page’s script', (t) => {
  const html = renderFlamePage(TREE, '<b>');
  t.true(html.includes('parse \\u003c/script>'));
  t.true(html.includes('&lt;b>'));
});
