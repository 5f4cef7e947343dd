// raw-socket.ts: the floor of Node's sockets: one process that answers every request with the same bytes and looks for
// nothing but where a request ends. What a server adds to this is the price of its HTTP, and of all that stands behind it.
//
//   node raw-socket.js --port N

import net from 'node:net';
import { portFlag, ready } from './peer-process.js';

const BODY = '{"data":{"name":"Tux","price":15.99,"quantity":100}}';
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
const HEAD_END = Buffer.from('\r\n\r\n');

const sockets = new Set<net.Socket>();
const server = net.createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => socket.destroy());
  // Requests without a body, whole in one chunk: what a load of finds looks like.
  socket.on('data', (chunk) => {
    let count = 0;
    for (let at = chunk.indexOf(HEAD_END); at >= 0; at = chunk.indexOf(HEAD_END, at + HEAD_END.length)) count++;
    socket.write(count === 1 ? ANSWER : ANSWER.repeat(count), 'latin1');
  });
});

server.listen(portFlag(), '127.0.0.1', () => {
  ready('raw-socket', `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
});
