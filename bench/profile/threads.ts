// threads.ts: V8 CPU profiles of every thread of every service under load, merged into one flame graph.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMachineFacts } from '../run/machine.js';
import { renderFlamePage } from './flame-page.js';
import { loadStore } from './load-store.js';
import { type CpuProfile, mergeProfiles, type ThreadProfile } from './merge-profiles.js';
import type { ProfileOptions, ServiceName } from './profile-options.js';
import { type ProfiledStore, startProfiledStore } from './profiled-store.js';

const PRELOAD = fileURLToPath(new URL('./profiler-preload.js', import.meta.url));
const PROFILE_NAME = /^(\d+)-(\d+)\.cpuprofile$/;
/** Writing a profile of many samples takes a moment; a thread that is not done by then is missing from the picture. */
const WRITING_TIMEOUT_MS = 15_000;
const POLL_MS = 200;
const QUIET_POLLS = 5;

/** @returns the path of the page; the single profiles lie beside it, for the browser's own tools */
export async function profileThreads(options: ProfileOptions, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const store = await startProfiledStore(() => ({
    argsBefore: ['--import', PRELOAD],
    env: { PROFILE_FOLDER: folder },
  }));
  let threads: ThreadProfile[];
  try {
    await loadStore(store, options, () => signalAll(store));
    signalAll(store);
    await untilWritten(folder, store.pids.size);
    threads = await readProfiles(folder, store.pids);
  } finally {
    await store.stop();
  }
  const { node, commit, cpu, cores } = readMachineFacts();
  const load = `${options.clients} clients, p ${options.p}, ${options.seconds} s`;
  const facts = `${threads.length} threads of 3 services under ${load}. Node.js ${node}, commit ${commit}, ${cores} cores, ${cpu}. Width is processor time; waiting is left out.`;
  const page = path.join(folder, 'threads.html');
  await writeFile(page, renderFlamePage(mergeProfiles(threads), facts));
  return page;
}

/** The first signal starts the profiles, the second ends them. */
function signalAll({ pids }: ProfiledStore): void {
  for (const pid of pids.values()) process.kill(pid, 'SIGUSR2');
}

/** How many threads there are is the services' affair: done is when nothing has been added for a while. */
async function untilWritten(folder: string, leastCount: number): Promise<void> {
  const giveUpMs = performance.now() + WRITING_TIMEOUT_MS;
  let count = 0;
  let quietPolls = 0;
  while (performance.now() < giveUpMs && (count < leastCount || quietPolls < QUIET_POLLS)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const now = (await readdir(folder)).filter((name) => PROFILE_NAME.test(name)).length;
    quietPolls = now === count ? quietPolls + 1 : 0;
    count = now;
  }
}

async function readProfiles(folder: string, pids: ReadonlyMap<ServiceName, number>): Promise<ThreadProfile[]> {
  const serviceOf = new Map([...pids].map(([service, pid]) => [pid, service]));
  const threads: ThreadProfile[] = [];
  for (const name of await readdir(folder)) {
    const match = PROFILE_NAME.exec(name);
    const service = serviceOf.get(Number(match?.[1]));
    if (match === null || service === undefined) continue;
    const profile = JSON.parse(await readFile(path.join(folder, name), 'utf8')) as CpuProfile;
    threads.push({ service, thread: Number(match[2]), profile });
  }
  if (threads.length === 0) throw new Error('no thread wrote a profile');
  return threads;
}
