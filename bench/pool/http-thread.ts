// http-thread.ts: the pool's service in these benchmarks: node:http, so that all servers compared differ in nothing
// but how a connection gets to the thread or process that serves it.

import { createServer, type Server } from 'node:http';
import type { CreateThreadService } from '../../src/pool/index.js';

/**
 * Header in which a client says when it had connected: process.hrtime() in microseconds, one clock for the whole
 * machine.
 */
export const CONNECTED_HEADER = 'x-connected-us';

const US_PER_S = 1e6;
const NS_PER_US = 1e3;

export function nowUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * US_PER_S + nanoseconds / NS_PER_US;
}

/** Answers with the microseconds from the client's connection to the moment when its request had been read here. */
export function createTimingServer(): Server {
  return createServer((request, response) => {
    const sinceConnected = nowUs() - Number(request.headers[CONNECTED_HEADER] ?? Number.NaN);
    response.end(sinceConnected.toFixed(1));
  });
}

export const createThreadService: CreateThreadService = () => {
  const server = createTimingServer();
  return {
    serve(socket) {
      server.emit('connection', socket);
      socket.resume();
    },
    drain: () => Promise.resolve(),
    close: () => server.closeAllConnections(),
  };
};
