// server-process.ts: one of the compared servers, with the same constant answer, on one thread.
//
//   node server-process.js --server toystore
//
// The raw socket writes a constant string at whatever arrives and looks at nothing: the floor of Node's sockets.
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { HttpServer, Router } from '../../src/http/index.js';
import { flag, ready } from '../peers/peer-process.js';
import { BODY, type ServerName } from './answer.js';

const JSON_TYPE = 'application/json';

/** Each listens on a free port and returns it. */
const SERVERS: Record<ServerName, () => Promise<number>> = {
  'raw socket': () => {
    const date = new Date().toUTCString();
    const head = `HTTP/1.1 200 OK\r\nDate: ${date}\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: ${BODY.length}\r\n\r\n`;
    // Flat, as a string constant would be: joined strings are joined at the first write.
    const answer = Buffer.from(head + BODY).toString('latin1');
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', () => socket.write(answer, 'latin1'));
    });
    return listening(server);
  },
  toystore: () => {
    const router = new Router().add('GET', '/products/:name', (exchange) => exchange.send(200, BODY));
    const server = new HttpServer({ router });
    return listening(createServer({ pauseOnConnect: true }, (socket) => server.serve(socket)));
  },
  'node:http': () =>
    listening(
      createHttpServer((_request, response) => {
        response.writeHead(200, { 'Content-Type': JSON_TYPE, 'Content-Length': BODY.length });
        response.end(BODY);
      }),
    ),
};

function listening(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

const port = await SERVERS[flag('server', 'toystore') as ServerName]();
ready('http-server', `http://127.0.0.1:${port}`, () => {});
