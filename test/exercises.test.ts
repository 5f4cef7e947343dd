// Exercises are broken, and can be mended: each one's test is red as it stands, and green with the solution that is kept.

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMPILED = join(ROOT, 'dist', 'exercises');
const AVA = join(ROOT, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');

const folders = readdirSync(join(ROOT, 'exercises')).filter((name) => /^\d\d-/.test(name));

const testIn = (folder: string): string =>
  readdirSync(join(ROOT, 'exercises', folder)).find((name) => name.endsWith('.test.ts'))!;

/** The file that the test is about, compiled: the first one beside it that it imports. */
function pieceOf(folder: string): string {
  const text = readFileSync(join(ROOT, 'exercises', folder, testIn(folder)), 'utf8');
  return /from '\.\/([\w-]+\.js)'/.exec(text)![1]!;
}

/** Runs the tests of all exercises in a directory, and counts by folder those that failed and those that passed. */
async function outcomes(directory: string): Promise<Map<string, { failed: number; passed: number }>> {
  const pattern = `dist/${basename(directory)}/**/*.test.js`;
  const args = [AVA, '--tap', '--config', 'ava.exercises.config.js', pattern];
  // The exit code is 1 where any has failed; the report tells which.
  const report = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, maxBuffer: 2 ** 24 }, (_, stdout) => resolve(stdout));
  });
  const found = new Map(folders.map((folder) => [folder, { failed: 0, passed: 0 }]));
  for (const [, failed, title] of report.matchAll(/^(not )?ok \d+ - (.*)$/gm)) {
    const counts = [...found].find(([folder]) => title!.startsWith(folder))?.[1];
    if (counts !== undefined) counts[failed === undefined ? 'passed' : 'failed']++;
  }
  return found;
}

test.serial('as they stand, all are red', async (t) => {
  for (const [folder, { failed }] of await outcomes(COMPILED)) {
    t.true(failed > 0, `${folder} is solved: \`git restore exercises\` makes it an exercise again`);
  }
});

test.serial('with the solutions, all are green', async (t) => {
  const solved = mkdtempSync(join(ROOT, 'dist', 'exercises-solved-'));
  t.teardown(() => rmSync(solved, { recursive: true }));
  cpSync(COMPILED, solved, { recursive: true });
  for (const folder of folders) {
    cpSync(join(COMPILED, 'solutions', `${folder}.js`), join(solved, folder, pieceOf(folder)));
  }
  for (const [folder, { failed, passed }] of await outcomes(solved)) {
    t.is(failed, 0, folder);
    t.true(passed > 0, folder);
  }
});
