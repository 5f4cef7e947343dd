// The page, its plots and the command that makes them belong together.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { UsageError } from '../../src/flags.js';
import { chosenSteps, STEPS } from '../evaluation/steps.js';
import { parseBenchOptions } from '../run/bench-options.js';
import { ROOT } from '../run/paths.js';

const PAGE = path.join(ROOT, 'docs', 'evaluation.md');
const PLOTS = STEPS.flatMap(({ plots = [] }) => plots);

test('every step is a command line that bench takes', (t) => {
  for (const { argv } of STEPS) t.notThrows(() => parseBenchOptions(argv), argv.join(' '));
});

test('the page shows every plot that the steps make, and no other; none lies there unused', async (t) => {
  const shown = [...(await readFile(PAGE, 'utf8')).matchAll(/\(evaluation\/([\w-]+)\.svg\)/g)].map((match) => match[1]);
  t.deepEqual(shown.toSorted(), PLOTS.toSorted());
  t.deepEqual((await readdir(path.join(ROOT, 'docs', 'evaluation'))).sort(), PLOTS.map((plot) => `${plot}.svg`).sort());
});

test('steps are chosen by name, and a step that there is not is refused', (t) => {
  t.deepEqual(
    chosenSteps(['--quick', 'docker']).steps.map(({ name }) => name),
    ['docker'],
  );
  t.throws(() => chosenSteps(['dockers']), { instanceOf: UsageError, message: /^unknown step "dockers"/ });
});
