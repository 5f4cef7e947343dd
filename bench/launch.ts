// launch.ts: the door of `npm run bench` and `npm run profile`.
//
// The benchmarks stand beside other people's servers and draw charts, so they need packages that nobody who only runs
// the store should have to install. This file is compiled with the store and imports nothing of theirs: it refuses a
// command line that cannot be used, installs bench/'s packages when they are missing or out of date (and says so),
// compiles bench/ with the root's compiler, and hands over to it in the same process, so that Ctrl-C and exit codes need
// no forwarding.
//
//   dist/bench/launch.js  ->  npm ci in bench/  ->  tsc -p bench/tsconfig.json  ->  bench/dist/bench/main.js

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chosenSteps } from './evaluation/steps.js';
import { benchHelp, profileHelp, SCENARIOS, type ScenarioName, scenarioHelp } from './help.js';
import { parseProfileOptions } from './profile/profile-options.js';
import { parseBenchOptions } from './run/bench-options.js';

const EXIT_RUN_TIME = 1;
const EXIT_USAGE = 2;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const benchFolder = path.join(root, 'bench');

/** The file that the compiled benchmarks are entered by: `main(argv)` resolves with the exit code. */
interface Program {
  main(argv: string[]): Promise<number>;
}

function helpFor(command: string, argv: readonly string[]): string | undefined {
  if (!argv.includes('--help') && !argv.includes('-h')) return undefined;
  if (command === 'profile') return profileHelp();
  const scenario = argv.find((word) => Object.hasOwn(SCENARIOS, word));
  return scenario === undefined ? benchHelp() : scenarioHelp(scenario as ScenarioName);
}

/** @throws UsageError for words that no program behind this one takes */
function check(command: string, argv: readonly string[]): void {
  if (command === 'profile') parseProfileOptions(argv);
  else if (argv[0] === 'evaluation') chosenSteps(argv.slice(1));
  else if (argv[0] !== 'test') parseBenchOptions(argv);
}

/** Installs bench/'s packages unless those of the present lock file are there already. */
function install(): void {
  const lockHash = createHash('sha256')
    .update(readFileSync(path.join(benchFolder, 'package-lock.json')))
    .digest('hex');
  const stamp = path.join(benchFolder, 'node_modules', '.installed-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash) return;
  // What was compiled against other packages may be of files that are no more.
  rmSync(path.join(benchFolder, 'dist'), { recursive: true, force: true });
  process.stderr.write("first run: installing the benchmarks' own packages into bench/node_modules\n");
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], benchFolder);
  writeFileSync(stamp, lockHash);
}

function compile(): void {
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) throw new Error('the compiler is not installed: run `npm ci` first');
  run(process.execPath, [compiler, '-p', path.join(benchFolder, 'tsconfig.json')], root);
}

function run(command: string, args: readonly string[], cwd: string): void {
  // stdout stays clean for the report's path; what npm and the compiler say goes to stderr.
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`\`${path.basename(command)} ${args.join(' ')}\` failed in ${cwd}`);
}

async function launch(argv: string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (command !== 'bench' && command !== 'profile') {
    process.stderr.write('launch: call it through `npm run bench` or `npm run profile`\n');
    return EXIT_USAGE;
  }
  const help = helpFor(command, rest);
  if (help !== undefined) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  check(command, rest);
  install();
  compile();
  const file = path.join(benchFolder, 'dist', 'bench', command === 'bench' ? 'main.js' : 'profile/main.js');
  const program = (await import(pathToFileURL(file).href)) as Program;
  return program.main(rest);
}

try {
  process.exitCode = await launch(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // By its name: what was compiled for bench/ has a class of its own.
  process.exitCode = error instanceof Error && error.name === 'UsageError' ? EXIT_USAGE : EXIT_RUN_TIME;
}
