// node-http-frontend.ts: the front end of a peer, on Node's own HTTP server and nothing else.
//
//   node node-http-frontend.js --port N --catalog HOST:PORT --order HOST:PORT

import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, connectBackends, notFound, type OrderBody } from './peer-backends.js';
import { portFlag, ready } from './peer-process.js';

const PRODUCTS = '/products/';

const backends = connectBackends();

const server = http.createServer((request, response) => {
  answerTo(request)
    .catch((): Answer => ({ status: 503, body: { error: { code: 503, message: 'try again later' } } }))
    .then(({ status, body }) => {
      const text = JSON.stringify(body);
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
      response.end(text);
    });
});

async function answerTo(request: http.IncomingMessage): Promise<Answer> {
  const { method, url = '' } = request;
  if (method === 'GET' && url.startsWith(PRODUCTS))
    return backends.find(decodeURIComponent(url.slice(PRODUCTS.length)));
  if (method === 'POST' && url === '/orders') {
    const order = parseOrder(await bodyOf(request));
    if (order !== undefined) return backends.buy(order);
    return { status: 400, body: { error: { code: 400, message: 'not an order' } } };
  }
  return notFound();
}

async function bodyOf(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parseOrder(text: string): OrderBody | undefined {
  try {
    const { name, quantity } = JSON.parse(text);
    if (typeof name === 'string' && Number.isInteger(quantity) && quantity > 0) return { name, quantity };
  } catch {
    // Not JSON, or not an object.
  }
  return undefined;
}

server.listen(portFlag(), '127.0.0.1', () => {
  ready('node-http', `http://127.0.0.1:${(server.address() as AddressInfo).port}`, async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    backends.close();
  });
});
