// frontend-thread.ts: what runs in each thread of the front end: HTTP sessions, routes and clients of both backends.
// A request is handled wholly by the thread that owns its connection.

import { HttpServer } from '../http/index.js';
import { Log, type LogLevel } from '../log.js';
import type { CreateThreadService, ThreadService } from '../pool/index.js';
import { type BackendAddresses, Backends } from './backends.js';
import { createRouter } from './routes.js';

/** What start-frontend.ts gives to each thread. */
export interface FrontendThreadData {
  readonly addresses: BackendAddresses;
  readonly idleTimeoutUnderPressureMs: number;
  readonly logLevel: LogLevel;
}

export const createThreadService: CreateThreadService = ({ threadIndex, data }): ThreadService => {
  const { addresses, idleTimeoutUnderPressureMs, logLevel } = data as FrontendThreadData;
  const log = new Log(logLevel, { service: 'frontend', thread: threadIndex });
  const backends = new Backends(addresses);
  const server = new HttpServer({
    router: createRouter(backends),
    limits: { idleTimeoutUnderPressureMs },
    onHandlerError: (error, route) => log.error('a handler failed', { route, error }),
  });
  return {
    serve: (socket) => server.serve(socket),
    setPressure: (connectionsWait) => server.setPressure(connectionsWait),
    drain: () => server.drain(),
    close: async () => {
      server.close();
      await backends.close();
    },
  };
};
