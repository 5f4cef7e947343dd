// main.ts: `npm run profile`, behind the launcher. The last line printed is the path of what was made.

import path from 'node:path';
import { folderName } from '../run/bench-run.js';
import { onInterrupts } from '../run/interrupts.js';
import { RESULTS_FOLDER } from '../run/paths.js';
import { endServers } from '../store/server-process.js';
import { runClinic } from './clinic.js';
import { parseProfileOptions } from './profile-options.js';
import { profileThreads } from './threads.js';

const EXIT_OK = 0;
const EXIT_SIGINT = 130;

/** A profile that was broken off shows nothing; what runs under it must not stay. */
function endAtOnce(): never {
  endServers();
  process.exit(EXIT_SIGINT);
}

/** @param argv the words behind `npm run profile --` */
export async function main(argv: string[]): Promise<number> {
  const options = parseProfileOptions(argv);
  onInterrupts({ first: endAtOnce, second: endAtOnce });
  const folder = path.resolve(options.out ?? path.join(RESULTS_FOLDER, `${folderName(new Date())}-profile`));
  const made = await (options.tool === 'threads' ? profileThreads : runClinic)(options, folder);
  process.stdout.write(`${made}\n`);
  return EXIT_OK;
}
