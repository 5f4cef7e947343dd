// A checkout that was not built, or without the tools to build it: one line that says what to do.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

test('every npm script says in one line that nothing is built, or that nothing can be', async (t) => {
  // What `npm ci --ignore-scripts` and `NODE_ENV=production npm ci` leave without what they would have installed.
  const checkout = await mkdtemp(join(tmpdir(), 'toystore-not-built-'));
  for (const name of ['package.json', 'scripts']) await cp(join(ROOT, name), join(checkout, name), { recursive: true });
  for (const [script, code, line] of [
    ['start', 1, 'not built yet: run `npm ci --include=dev`'],
    ['catalog', 1, 'not built yet: run `npm ci --include=dev`'],
    ['client', 1, 'not built yet: run `npm ci --include=dev`'],
    ['bench', 1, 'not built yet: run `npm ci --include=dev`'],
    ['test', 1, 'not built: the tools for it are not installed; run `npm ci --include=dev`'],
    ['prepare', 0, 'not built: the tools for it are not installed; run `npm ci --include=dev`'],
  ] as const) {
    const npm = spawn('npm', ['run', '--silent', script], { cwd: checkout, stdio: ['ignore', 'ignore', 'pipe'] });
    const [stderr, [exitCode]] = await Promise.all([text(npm.stderr), once(npm, 'exit')]);
    t.deepEqual([stderr, exitCode], [`${line}\n`, code], script);
  }
  await rm(checkout, { recursive: true });
});
