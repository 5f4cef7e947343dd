// Every file that the pages name is there: what a link points to, and what looks like a path of the repository.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';

/** Its entries stay as they were written, and speak of files that are gone. */
const NOTEBOOK = 'docs/notebook.md';

const ROOMS = ['src', 'test', 'bench', 'docs', 'proto', 'sql', 'scripts', 'deploy', 'exercises', 'docker'];

const LINK = /\]\(([^)#\s]+)[^)]*\)/g;
const PATH = new RegExp(`(?<![\\w./-])(?:${ROOMS.join('|')})/[\\w./-]*[\\w/]`, 'g');
/** Made by a build or a run. */
const MADE = /^(?:bench\/(?:results|node_modules|dist)|proto\/gen)\b/;
/** A picture of a running store, put in beside the pages whenever the page has changed. */
const PICTURE = 'docs/page.png';

const pages = ['README.md', 'CHANGELOG.md', ...pagesIn('docs'), ...pagesIn('exercises')];

function pagesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();
}

/** What a page names that is not there. */
function missing(page: string, text: string): string[] {
  const links = [...text.matchAll(LINK)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => join(dirname(page), target));
  const paths = [...text.matchAll(PATH)].map(([path]) => path).filter((path) => !MADE.test(path));
  const linkTargets = text.replaceAll(LINK, '');
  return [...links, ...paths.filter((path) => linkTargets.includes(path))].filter(
    (path) => path !== PICTURE && !existsSync(path),
  );
}

for (const page of pages.filter((name) => name !== NOTEBOOK)) {
  test(`${page}: every file that it names exists`, (t) => {
    t.deepEqual(missing(page, readFileSync(page, 'utf8')), []);
  });
}

test('docs/design.md: each answer to "where" names something that its file has', (t) => {
  const design = readFileSync('docs/design.md', 'utf8');
  const table = design.slice(design.indexOf('## Where what is decided'), design.indexOf('## Processes'));
  const rows = table.split('\n').filter((line) => /^\| [A-Z]/.test(line));
  t.is(rows.length, 12);
  for (const row of rows) {
    const files = [...row.matchAll(LINK)].map(([, target]) => readFileSync(join('docs', target!), 'utf8'));
    const names = [...row.matchAll(/`#?(\w+)(?:\(\))?`/g)].map(([, name]) => name!);
    t.true(names.length > 0, row);
    t.deepEqual(
      names.filter((name) => !files.some((text) => text.includes(name))),
      [],
      row,
    );
  }
});

const EXAMPLES: [name: string, text: string, missing: string[]][] = [
  ['a link beside the page', '[settings](settings.md) and [none](nowhere.md)', ['docs/nowhere.md']],
  ['a link upwards, with a place in it', '[a](../src/log.ts#L3) [b](../src/gone.ts)', ['src/gone.ts']],
  ['a link into the world', '[a](https://example.org/src/gone.ts)', []],
  ['a path in code', '`src/log.ts`, `src/gone.ts`, `src/`', ['src/gone.ts']],
  ['a path at the end of a sentence', 'See test/layers.test.ts. And src/pool.', []],
  ['what a run makes', 'bench/results/now/report.html', []],
];

for (const [name, text, expected] of EXAMPLES) {
  test(`what is missing is found: ${name}`, (t) => t.deepEqual(missing('docs/design.md', text), expected));
}
