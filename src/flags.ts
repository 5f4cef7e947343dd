// flags.ts: the command line of every command: `--name value`, `--name=value`, and what people write instead.

import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A setting or flag that cannot be used; its message is one line that says what to do. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type FlagOptions = NonNullable<ParseArgsConfig['options']>;
export type FlagValues<T extends FlagOptions> = ReturnType<typeof parseArgs<{ options: T; strict: true }>>['values'];

/** npm's own switches of these names are no mistake: they may stand in a user's configuration of npm. */
const OF_NPM = new Set(['json']);
/** User and password in a URL. */
const CREDENTIALS = /\/\/[^/@\s']*@/g;

/**
 * The values of the flags.
 *
 * @param argv what stands behind the command
 * @param options as for parseArgs of node:util
 * @param env where npm leaves the flags that it took for its own
 * @throws UsageError for an unknown flag, a flag without its value, a stray argument, or flags that npm has taken
 */
export function parseFlags<const T extends FlagOptions>(
  argv: readonly string[],
  options: T,
  env: NodeJS.ProcessEnv,
): FlagValues<T> {
  refuseFlagsOfNpm(options, env);
  try {
    return parseArgs({ args: joinNegativeNumbers(argv), options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(/\. (?=[A-Z])/)[0] ?? '') : String(error);
    throw new UsageError(`${message.replace(/\.$/, '').replace(CREDENTIALS, '//…@')}: see --help for the flags`);
  }
}

export function wantsHelp(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}

/** The flag of an environment variable: `ORDER_PORT` is `order-port`. */
export function flagOf(env: string): string {
  return env.toLowerCase().replaceAll('_', '-');
}

/** `--clients -1` is a value, if a wrong one; parseArgs would call it ambiguous. */
function joinNegativeNumbers(argv: readonly string[]): string[] {
  const joined: string[] = [];
  for (const argument of argv) {
    const before = joined.at(-1);
    if (/^-\d/.test(argument) && before !== undefined && /^--[^=]+$/.test(before)) {
      joined[joined.length - 1] = `${before}=${argument}`;
    } else joined.push(argument);
  }
  return joined;
}

/** `npm run client --clients 2` hands nothing on: without `--` npm keeps the flag, and tells only the environment. */
function refuseFlagsOfNpm(options: FlagOptions, env: NodeJS.ProcessEnv): void {
  for (const flag of Object.keys(options)) {
    if (env[`npm_config_${flag.replaceAll('-', '_')}`] === undefined || OF_NPM.has(flag)) continue;
    const script = env.npm_lifecycle_event ?? 'start';
    const command = script === 'start' ? 'npm start' : `npm run ${script}`;
    throw new UsageError(
      `npm took --${flag} for a flag of its own: put -- before it, as in \`${command} -- --${flag} …\``,
    );
  }
}
