// run.js PROGRAM ...: what the npm scripts run: a program of dist/, in this process, or the line that says why there is none.

import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const program = `${ROOT}/dist/${process.argv[2]}`;

if (!existsSync(program)) {
  const isInstalled = existsSync(`${ROOT}/node_modules/typescript`);
  process.stderr.write(`not built yet: run \`${isInstalled ? 'npm run build' : 'npm ci --include=dev'}\`\n`);
  process.exit(1);
}
// It finds its arguments where it would find them if it was run by itself.
process.argv.splice(1, 2, program);
await import(pathToFileURL(program).href);
