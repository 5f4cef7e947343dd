// main.ts: `npm run profile`, behind the launcher. The last line printed is the path of the page.

import path from 'node:path';
import { BenchUsageError } from '../run/bench-options.js';
import { folderName } from '../run/bench-run.js';
import { onInterrupts } from '../run/interrupts.js';
import { RESULTS_FOLDER } from '../run/paths.js';
import { endServers } from '../store/server-process.js';
import { runClinic } from './clinic.js';
import { parseProfileOptions } from './profile-options.js';
import { profileThreads } from './threads.js';

const EXIT_OK = 0;
const EXIT_USAGE = 2;
const EXIT_SIGINT = 130;

/** A profile that was broken off shows nothing; what runs under it must not stay. */
function endAtOnce(): never {
  endServers();
  process.exit(EXIT_SIGINT);
}

/** @param argv the words behind `npm run profile --` */
export async function main(argv: string[]): Promise<number> {
  try {
    const options = parseProfileOptions(argv);
    onInterrupts({ first: endAtOnce, second: endAtOnce });
    const folder = path.resolve(options.out ?? path.join(RESULTS_FOLDER, `${folderName(new Date())}-profile`));
    const page = await (options.tool === 'threads' ? profileThreads : runClinic)(options, folder);
    process.stdout.write(`${page}\n`);
    return EXIT_OK;
  } catch (error) {
    if (!(error instanceof BenchUsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_USAGE;
  }
}
