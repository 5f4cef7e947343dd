// threads.ts: V8 CPU profiles of every thread of every service under load, and a table of the functions that take most.
//
//   <folder>/frontend-0.cpuprofile, frontend-1.cpuprofile, …    for the performance panel of a browser's developer tools,
//                                                               or an editor; thread 0 is the main thread
//
// Node records them itself, from a thread's first line to its last, so the start is in them: with few seconds of load it is
// the first seconds of a store that are seen.

import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { loadStore } from './load-store.js';
import { type CpuProfile, renderOwnTimes } from './own-times.js';
import type { ProfileOptions, ServiceName } from './profile-options.js';
import { startProfiledStore } from './profiled-store.js';

const SAMPLING_INTERVAL_US = 500;
/** As Node names them: CPU.<day>.<time>.<pid>.<thread>.<number>.cpuprofile */
const PROFILE_NAME = /^CPU\.\d+\.\d+\.(\d+)\.(\d+)\.\d+\.cpuprofile$/;

/** @returns the folder of the profiles */
export async function profileThreads(options: ProfileOptions, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const interval = ['--cpu-prof-interval', String(SAMPLING_INTERVAL_US)];
  const store = await startProfiledStore(() => ({
    argsBefore: ['--cpu-prof', '--cpu-prof-dir', folder, ...interval],
  }));
  try {
    await loadStore(store, options);
  } finally {
    await store.stop();
  }
  for (const [service, { pid }] of store.services) {
    const profiles = await collectProfiles(folder, service, pid!);
    process.stderr.write(`\n${service}, ${profiles.length} threads\n${renderOwnTimes(profiles)}\n`);
  }
  return folder;
}

/** Names the profiles of a process after its service, and reads them. */
async function collectProfiles(folder: string, service: ServiceName, pid: number): Promise<CpuProfile[]> {
  const profiles: CpuProfile[] = [];
  for (const name of await readdir(folder)) {
    const match = PROFILE_NAME.exec(name);
    if (Number(match?.[1]) !== pid) continue;
    const file = path.join(folder, `${service}-${match![2]}.cpuprofile`);
    await rename(path.join(folder, name), file);
    profiles.push(JSON.parse(await readFile(file, 'utf8')) as CpuProfile);
  }
  return profiles;
}
