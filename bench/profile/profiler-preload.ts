// profiler-preload.ts: loaded into every thread of a profiled process before anything else (`--import`): records a V8
// CPU profile there, from one word to another.
//
//   SIGUSR2 -> main thread -> BroadcastChannel 'start' / 'stop' -> every thread -> <folder>/<pid>-<thread>.cpuprofile
//
// Node's own --cpu-prof would record from the first line to the last and needs every thread to end in good order; what
// is of interest is the time under load.

import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import path from 'node:path';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';

const SAMPLING_INTERVAL_US = 500;

const folder = process.env.PROFILE_FOLDER!;
const session = new Session();
session.connect();

function start(): void {
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US });
  session.post('Profiler.start');
}

function stop(): void {
  session.post('Profiler.stop', (error, result) => {
    if (error !== null) return;
    writeFileSync(path.join(folder, `${process.pid}-${threadId}.cpuprofile`), JSON.stringify(result.profile));
  });
}

const channel = new BroadcastChannel('toystore-profile');
// A profiler must not keep a thread alive.
(channel as unknown as { unref(): void }).unref();
channel.onmessage = (event: unknown) => {
  if ((event as { data: string }).data === 'start') start();
  else stop();
};

if (isMainThread) {
  let isRunning = false;
  process.on('SIGUSR2', () => {
    const word = isRunning ? 'stop' : 'start';
    isRunning = true;
    // A channel does not hear itself.
    channel.postMessage(word);
    if (word === 'start') start();
    else stop();
  });
}
