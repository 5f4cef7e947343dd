// The door of the benchmarks in a checkout where their packages have not been installed, as everybody finds it at first: a
// command line that cannot be used is refused before anything is installed.

import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

let checkout = '';

test.before(async () => {
  checkout = await mkdtemp(path.join(os.tmpdir(), 'toystore-launcher-'));
  await cp(path.join(ROOT, 'dist', 'bench'), path.join(checkout, 'dist', 'bench'), { recursive: true });
  await cp(path.join(ROOT, 'dist', 'src'), path.join(checkout, 'dist', 'src'), { recursive: true });
  await symlink(path.join(ROOT, 'node_modules'), path.join(checkout, 'node_modules'));
  await writeFile(path.join(checkout, 'package.json'), '{"type":"module"}');
  await mkdir(path.join(checkout, 'bench'));
  // No package can be installed from this; whoever tries says so.
  await writeFile(path.join(checkout, 'bench', 'package-lock.json'), 'not a lock file');
});

test.after.always(() => rm(checkout, { recursive: true, force: true }));

const REFUSED: readonly [words: string, message: RegExp][] = [
  ['bench nope', /^unknown scenario "nope": it must be one of clients, /],
  ['bench clients nope', /^unknown scenario "nope"/],
  ['bench --speed', /^Unknown option '--speed': see --help for the options$/],
  ['bench --clients 0', /^--clients is "0": it must be whole numbers from 1 to/],
  ['bench --set COLOUR=red', /^--set: Unknown option '--colour'/],
  ['bench evaluation nope', /^unknown step "nope": it must be one of clients, /],
  ['profile', /^profile takes one tool: threads, doctor, flame, heapprofiler; see --help$/],
  ['profile flame --speed 9', /^Unknown option '--speed': see --help for the options$/],
];
for (const [words, message] of REFUSED) {
  test(`refused before anything is installed: ${words}`, async (t) => {
    const launcher = path.join(checkout, 'dist', 'bench', 'launch.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...words.split(' ')], {
      encoding: 'utf8',
    });
    t.is(status, 2, stderr);
    t.is(stdout, '');
    t.regex(stderr.replace(/\n$/, ''), message);
    t.is(stderr.split('\n').length, 2, stderr);
    t.deepEqual(await readdir(path.join(checkout, 'bench')), ['package-lock.json']);
  });
}
