// clinic.ts: clinic's doctor, flame and heapprofiler on one service, under a load of our own.
//
//   node clinic <tool> -- node cli.js frontend  (THREADS=0)   load for so many seconds, Ctrl-C to both, page
//
// clinic looks at one isolate, the main thread, so the watched service serves everything there. Off a terminal clinic 13
// asks whether it may collect statistics and waits for an answer for ever; NO_INSIGHT spares the question.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BENCH_FOLDER } from '../run/paths.js';
import { loadStore } from './load-store.js';
import type { ProfileOptions } from './profile-options.js';
import { startProfiledStore } from './profiled-store.js';

const CLINIC_FOLDER = path.join(BENCH_FOLDER, 'clinic');
const CLINIC = path.join(CLINIC_FOLDER, 'node_modules', 'clinic', 'bin.js');
/** Reading back what it has collected takes clinic longer than the load took. */
const ANALYSIS_TIMEOUT_MS = 180_000;
const PATIENT_EXIT = fileURLToPath(new URL('./patient-exit.js', import.meta.url));
const PAGE_LINE = /Generated HTML file is (\S+\.html)/;

/** @returns the path of the page that clinic made */
export async function runClinic(options: ProfileOptions, folder: string): Promise<string> {
  installClinic();
  await mkdir(folder, { recursive: true });
  let page: string | undefined;
  const store = await startProfiledStore((service) => {
    if (service !== options.service) return undefined;
    const preload = options.tool === 'heapprofiler' ? ['--import', PATIENT_EXIT] : [];
    return {
      argsBefore: [CLINIC, options.tool, '--open=false', '--dest', folder, '--', process.execPath, ...preload],
      env: { THREADS: '0', MAX_THREADS: '0', NO_INSIGHT: '1' },
      stopBy: 'ctrl-c',
      stopTimeoutMs: ANALYSIS_TIMEOUT_MS,
      onLine: (line) => {
        const url = PAGE_LINE.exec(line)?.[1];
        if (url !== undefined) page = url.startsWith('file:') ? fileURLToPath(url) : url;
      },
    };
  });
  try {
    await loadStore(store, options);
    process.stderr.write('clinic is reading what it has collected …\n');
  } finally {
    await store.stop();
  }
  if (page === undefined) throw new Error(`clinic made no page; what it collected is in ${folder}`);
  return page;
}

function installClinic(): void {
  if (existsSync(CLINIC)) return;
  process.stderr.write('first use: installing clinic, some 700 packages, into bench/clinic\n');
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { cwd: CLINIC_FOLDER, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('clinic could not be installed');
}
