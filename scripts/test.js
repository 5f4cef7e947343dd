// test.js: `npm test`: builds, says what comes and how long it takes, and runs ava with the arguments given.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import module from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Processor time of all tests together with TEST_EFFORT=1, tools included: 270 to 400, as quick as the machine is. */
const CORE_SECONDS = 320;

const run = (/** @type {string} */ file, /** @type {string[]} */ args) =>
  spawnSync(process.execPath, [file, ...args], { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
const say = (/** @type {string} */ line) => process.stdout.write(`${line}\n`);

// Each test file is a process that loads the same modules: V8 keeps what it has compiled, where Node.js can (22.8).
const { enableCompileCache } = /** @type {{ enableCompileCache?: () => { directory?: string } }} */ (module);
const { directory } = enableCompileCache?.() ?? {};
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;

const built = run(`${ROOT}/scripts/build.js`, []);
if (built !== 0) process.exit(built);

const { concurrency } = (await import('../ava.config.js')).default;
const args = process.argv.slice(2);
if (args.length === 0) {
  const names = readdirSync(`${ROOT}/dist/test`, { recursive: true, encoding: 'utf8' });
  const count = names.filter((name) => name.endsWith('.test.js')).length;
  const seconds = Math.ceil(CORE_SECONDS / Math.min(concurrency, availableParallelism()) / 10) * 10;
  say(`${count} test files, ${concurrency} at a time: about ${seconds} s where nothing else runs.`);
  say('Real services are started, on ports that are free and in temporary directories.');
  say(`TEST_EFFORT=${process.env.TEST_EFFORT || 1}: that much of what is drawn at random (10 in .ci/run).\n`);
}
const startMs = performance.now();
const status = run(`${ROOT}/node_modules/ava/entrypoints/cli.mjs`, args);
say(`${Math.round((performance.now() - startMs) / 1000)} s`);
process.exit(status);
