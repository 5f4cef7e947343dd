// docs/settings.md says of every setting what the code says.

import { readFile } from 'node:fs/promises';
import test from 'ava';
import { clientHelp } from '../../src/client/client-settings.js';
import { describeSettings, SERVICES } from '../../src/settings.js';

const PAGE = new URL('../../../docs/settings.md', import.meta.url);

/** A row of the page's table: name, default, who looks at it, meaning. */
function rowsOf(page: string): string[][] {
  const lines = page.split('\n').filter((line) => /^\| `[A-Z_]+` \|/.test(line));
  return lines.map((line) => line.split('|').slice(1, -1));
}

test('the table has a row for each setting, in the same order, with default, services and meaning', async (t) => {
  const expected = describeSettings().map(({ env, defaultText, of, help }) => {
    const services = of.length === SERVICES.length ? 'all' : of.join(', ');
    return [` \`${env}\` `, ` ${defaultText} `, ` ${services} `, ` ${help} `];
  });
  const rows = rowsOf(await readFile(PAGE, 'utf8'));
  t.deepEqual(rows, expected);
});

test('the flags of the load client stand there as its help has them', async (t) => {
  const page = await readFile(PAGE, 'utf8');
  for (const line of clientHelp().split('\n')) if (line.startsWith('  --')) t.true(page.includes(`\n${line}\n`), line);
});
