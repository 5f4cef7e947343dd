// started-service.ts: one service on a data directory of its own, timed from its start to the line that says ready.
//
// The files were written a moment ago, so they come from the page cache: what is measured is the service, not the disk.

import { cp, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { STORE_CLI } from '../run/paths.js';
import { peakMemoryMib } from '../store/process-memory.js';
import { startServer, type Target } from '../store/server-process.js';
import { findFreePorts } from '../store/toystore.js';

const MS_PER_S = 1000;

/** What to start, and on what. */
export interface ServiceStart {
  readonly service: 'catalog' | 'order';
  /** Holds `catalog/` or `order/`; copied before each start. Undefined: an empty data directory. */
  readonly data: string | undefined;
  /** Where the copies go: on the disk that is measured. */
  readonly folder: string;
  /** Throws when the service does not have what it was given. */
  readonly check: (running: Target) => Promise<void>;
}

/** What a start took. */
export interface StartFigures {
  readonly seconds: number;
  /** The most memory that was resident until the service was ready; 0 where that cannot be known. */
  readonly peakMib: number;
}

/** Starts the service once, checks it, and stops it. */
export async function measureStart({ service, data, folder, check }: ServiceStart): Promise<StartFigures> {
  const dataDir = await mkdtemp(path.join(folder, `${service}-`));
  try {
    if (data !== undefined) await cp(data, dataDir, { recursive: true });
    const [port] = await findFreePorts(1);
    const startMs = performance.now();
    const running = await startServer({
      name: service,
      args: [STORE_CLI, service],
      // The order service is ready before it has found its catalog, and here it never does.
      env: {
        HOST: '127.0.0.1',
        [`${service.toUpperCase()}_PORT`]: String(port),
        CATALOG_ADDRESS: '127.0.0.1:1',
        DATA_DIR: dataDir,
      },
    });
    const seconds = (performance.now() - startMs) / MS_PER_S;
    const peakMib = running.pid === undefined ? 0 : peakMemoryMib(running.pid);
    try {
      await check(running);
    } finally {
      await running.stop();
    }
    return { seconds, peakMib };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
