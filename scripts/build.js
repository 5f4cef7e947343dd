// build.js: protobuf code and TypeScript -> dist/. `npm run build`, and once more after each `npm ci` (--after-install).

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildPage } from './build-page.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STEPS = [
  ['buf', 'generate'],
  ['tsc', '-p', 'tsconfig.json'],
  ['tsc', '-p', 'src/page/tsconfig.json'],
];
const isAfterInstall = process.argv.includes('--after-install');

const toolOf = (/** @type {string} */ name) => `${ROOT}/node_modules/.bin/${name}`;

if (STEPS.some(([name]) => !existsSync(toolOf(name)))) {
  // Installed for production: NODE_ENV=production, --omit=dev. An installation that failed for it would be told in twenty
  // lines of npm's; so it is `npm start` that fails (run.js).
  process.stderr.write('not built: the tools for it are not installed; run `npm ci --include=dev`\n');
  process.exit(isAfterInstall ? 0 : 1);
}
for (const [name, ...args] of STEPS) {
  const { status } = spawnSync(toolOf(name), args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
buildPage(ROOT);
