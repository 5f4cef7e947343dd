// exercise.js: `npm run exercise -- 3`: builds, and runs the test of that exercise.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const folders = readdirSync(`${ROOT}/exercises`).filter((name) => /^\d\d-/.test(name));

const usage = `Usage: npm run exercise -- <1 to ${folders.length}>: see exercises/README.md\n`;

const [number = ''] = process.argv.slice(2);
if (number === '--help' || number === '-h') {
  process.stdout.write(usage);
  process.exit(0);
}
const folder = folders.find((name) => Number.parseInt(name, 10) === Number(number));
if (folder === undefined) {
  process.stderr.write(usage);
  process.exit(2);
}

const run = (/** @type {string[]} */ args) =>
  spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
const built = run([`${ROOT}/scripts/build.js`]);
if (built !== 0) process.exit(built);
process.stdout.write(`exercises/${folder}/README.md says what it is about.\n`);
const ava = `${ROOT}/node_modules/ava/entrypoints/cli.mjs`;
process.exit(run([ava, '--config', 'ava.exercises.config.js', `dist/exercises/${folder}/*.test.js`]));
