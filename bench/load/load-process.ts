// load-process.ts: the load generator's process. It runs one job at a time and stays for the next, so that its code is
// compiled and warm; the store never shares a process with what measures it.

import { ClosedLoop } from './closed-loop.js';
import { LoadCounters } from './load-counters.js';
import type { FromGenerator, LoadJob, LoadReport, ToGenerator } from './load-job.js';
import { Loader, type Loop } from './loader.js';
import { OpenLoop } from './open-loop.js';

const MS_PER_S = 1000;
const US_PER_MS = 1000;
/** How long answers may still come in after the last request; then they count as errors. The store's own limit is 10 s. */
const DRAIN_MAX_MS = 12_000;
const POLL_MS = 10;

let running: LoadCounters | undefined;

async function runJob(job: LoadJob): Promise<LoadReport> {
  const counters = new LoadCounters();
  running = counters;
  const loop: Loop = job.rate === undefined ? new ClosedLoop(job, counters) : new OpenLoop(job, job.rate, counters);
  const loaders = Array.from(
    { length: job.connections },
    (_, index) => new Loader(job.host, job.port, counters, (free) => loop.onFree(free, index)),
  );
  const areAnswered = (): boolean => loaders.every(({ pendingCount }) => pendingCount === 0);
  const close = (): void => {
    for (const loader of loaders) loader.close();
  };
  try {
    // A thousand connections take a while: the clock starts when they are there.
    await Promise.all(loaders.map((loader) => loader.open()));
    counters.begin(job.warmupMs, job.durationMs);
    loop.start(loaders);
    await until(() => performance.now() >= Math.min(counters.fromMs, counters.untilMs));
    const cpuBefore = process.cpuUsage();
    const cpuFromMs = performance.now();
    await until(() => performance.now() >= counters.untilMs || (loop.hasSentAll && areAnswered()));
    counters.endNow();
    const { user, system } = process.cpuUsage(cpuBefore);
    const generatorCpu = (user + system) / US_PER_MS / Math.max(1, performance.now() - cpuFromMs);
    const drainUntil = performance.now() + DRAIN_MAX_MS;
    await until(() => areAnswered() || performance.now() > drainUntil);
    close();
    return {
      query: counters.query.report(),
      order: counters.order.report(),
      seconds: Math.max(0, counters.untilMs - counters.fromMs) / MS_PER_S,
      generatorCpu,
      schedule: loop.end?.(),
    };
  } finally {
    close();
    running = undefined;
  }
}

/** Looks every few milliseconds: cheap, and no loop has to tell anyone that it is done. */
function until(condition: () => unknown): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (condition()) resolve();
      else setTimeout(look, POLL_MS);
    };
    look();
  });
}

function tell(message: FromGenerator): void {
  process.send!(message);
}

process.on('message', (message: ToGenerator) => {
  if (message.type === 'stop') {
    running?.endNow();
    return;
  }
  runJob(message.job).then(
    (report) => tell({ type: 'report', report }),
    (error: unknown) => tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});
// A signal to the whole process group, such as Ctrl-C, comes here too; the parent decides what it means, and ends this one.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));
