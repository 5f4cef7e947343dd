// server-process.ts: one of the compared servers, with the same constant answer, on one thread.
//
//   node server-process.js --server toystore
//
// The raw socket writes a constant string at whatever arrives and looks at nothing: the floor of Node's sockets.
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { HttpServer, Router } from '../../src/http/index.js';
import { flag, listen, ready } from '../peers/peer-process.js';
import { BODY, type ServerName } from './answer.js';

const JSON_TYPE = 'application/json';

const SERVERS: Record<ServerName, () => Server> = {
  'raw socket': () => {
    const date = new Date().toUTCString();
    const head = `HTTP/1.1 200 OK\r\nDate: ${date}\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: ${BODY.length}\r\n\r\n`;
    // Flat, as a string constant would be: joined strings are joined at the first write.
    const answer = Buffer.from(head + BODY).toString('latin1');
    return createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', () => socket.write(answer, 'latin1'));
    });
  },
  toystore: () => {
    const router = new Router().add('GET', '/products/:name', (exchange) => exchange.send(200, BODY));
    const server = new HttpServer({ router });
    return createServer({ pauseOnConnect: true }, (socket) => server.serve(socket));
  },
  'node:http': () =>
    createHttpServer((_request, response) => {
      response.writeHead(200, { 'Content-Type': JSON_TYPE, 'Content-Length': BODY.length });
      response.end(BODY);
    }),
};

ready('http-server', await listen(SERVERS[flag('server') as ServerName]()));
