// http-thread.ts: the pool's service in these benchmarks: node:http, so that all servers compared differ in nothing
// but how a connection gets to the thread or process that serves it.

import { createServer, type Server } from 'node:http';
import type { CreateThreadService } from '../../src/pool/index.js';

export function createSmallServer(): Server {
  return createServer((_request, response) => response.end('here'));
}

export const createThreadService: CreateThreadService = () => {
  const server = createSmallServer();
  return {
    serve(socket) {
      server.emit('connection', socket);
      socket.resume();
    },
    drain: () => Promise.resolve(),
    close: () => server.closeAllConnections(),
  };
};
