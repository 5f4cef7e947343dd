// start-postgres-order.ts: the order service over a database: any number of them may run, and one serves.

import { randomInt } from 'node:crypto';
import { MetricsService } from '../../proto/gen/toystore/v1/metrics.js';
import { OrderService } from '../../proto/gen/toystore/v1/order.js';
import { systemClock } from '../clock.js';
import type { Log } from '../log.js';
import { Reader } from '../postgres/index.js';
import type { RunningService } from '../running-service.js';
import { startSeated } from '../seated-service.js';
import type { Settings } from '../settings.js';
import { PostgresOrderLog } from './postgres-order-log.js';
import { startOrderIn } from './start-order.js';

/** Starts an order service that serves as soon as no other one does. @throws UsageError, the system's error */
export function startPostgresOrder(settings: Settings, log: Log): Promise<RunningService> {
  return startSeated({
    name: 'order',
    settings,
    log,
    port: settings.orderPort,
    definitions: [OrderService, MetricsService],
    start: (seat, database, port) => {
      const reader = new Reader(database, systemClock);
      const home = {
        openLog: () => PostgresOrderLog.open({ seat, reader, clock: systemClock, keySeed: randomInt(2 ** 32) }),
        release: async () => {
          await Promise.all([seat.leave(), reader.close()]);
        },
      };
      return startOrderIn(home, { ...settings, orderPort: port }, log);
    },
  });
}
