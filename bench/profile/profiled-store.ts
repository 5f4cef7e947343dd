// profiled-store.ts: the three services, each started by itself, so that any of them can be put under a profiler.
//
// The supervisor of `npm start` is left out: it would sit between the profiler and the service, and start again what the
// profiler ends.

import { type ServerCommand, startServer, type Target } from '../store/server-process.js';
import { makeStorePlace, storeCli } from '../store/toystore.js';
import { SERVICES, type ServiceName } from './profile-options.js';

/** What is different about starting a service: arguments in front of its file, settings, how it ends. */
export type Profiled = Partial<Pick<ServerCommand, 'env' | 'onLine' | 'stopBy' | 'stopTimeoutMs'>> & {
  readonly argsBefore: readonly string[];
};

/** A running store. */
export interface ProfiledStore {
  readonly services: ReadonlyMap<ServiceName, Target>;
  /** Front end, order, catalog: nobody loses a backend that it still talks to. */
  stop(): Promise<void>;
}

/** @param profiledBy how each service is started; undefined for one that runs as usual */
export async function startProfiledStore(
  profiledBy: (service: ServiceName) => Profiled | undefined,
): Promise<ProfiledStore> {
  const { settings, remove } = await makeStorePlace();
  const running = new Map<ServiceName, Target>();
  const stop = async (): Promise<void> => {
    for (const target of [...running.values()].reverse()) await target.stop();
    await remove();
  };
  try {
    for (const name of SERVICES) {
      const { argsBefore = [], env, ...rest } = profiledBy(name) ?? {};
      const args = [...argsBefore, storeCli(), name];
      const target = await startServer({ name, args, env: { ...settings, ...addresses(running), ...env }, ...rest });
      running.set(name, target);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { services: running, stop };
}

/** Where a service finds those that were started before it. */
function addresses(running: ReadonlyMap<ServiceName, Target>): Record<string, string> {
  return Object.fromEntries(
    [...running].map(([name, { host, port }]) => [`${name.toUpperCase()}_ADDRESS`, `${host}:${port}`]),
  );
}
