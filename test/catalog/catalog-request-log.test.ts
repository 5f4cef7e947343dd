import test from 'ava';
import { CatalogRequestLog } from '../../src/catalog/catalog-request-log.js';
import { Log, type LogLevel } from '../../src/log.js';
import { RpcError } from '../../src/rpc/index.js';

function listened(level: LogLevel): { requests: CatalogRequestLog; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = new Log(level, { service: 'catalog' }, (line) => lines.push(JSON.parse(line)));
  return { requests: new CatalogRequestLog(log), lines };
}

const names = ['Tux', 'Nemo'].map((name) => Buffer.from(name));
const purchases = names.map((name, index) => ({
  name,
  quantity: index + 1,
  key: '',
  requestId: `r-${index}`,
}));

test('at debug each find and each purchase is a line with its request', (t) => {
  const { requests, lines } = listened('debug');
  requests.found({ names, requestIds: ['', 'f-1'], holder: 0 }, { results: [0, -1] });
  requests.found({ names: names.slice(0, 1), requestIds: [], holder: 0 }, { results: [0] });
  requests.purchased(purchases, { results: [0, -1] }, performance.now());
  t.deepEqual(
    lines.map(({ message, requestId, name, quantity, result }) => [message, requestId, name, quantity, result]),
    [
      ['find', undefined, 'Tux', undefined, 0],
      ['find', 'f-1', 'Nemo', undefined, -1],
      ['find', undefined, 'Tux', undefined, 0],
      ['purchase', 'r-0', 'Tux', 1, 0],
      ['purchase', 'r-1', 'Nemo', 2, -1],
    ],
  );
});

test('a refused message says which requests were in it, and why', (t) => {
  const { requests, lines } = listened('debug');
  requests.refused(purchases, new RpcError('UNAVAILABLE', 'the catalog is stopping'));
  t.like(lines[0], { code: 'UNAVAILABLE', error: 'the catalog is stopping', requestIds: ['r-0', 'r-1'] });
});

test('above debug only what took long is written, and a name that would not fit is left out', (t) => {
  const { requests, lines } = listened('info');
  requests.found({ names, requestIds: ['a', 'b'], holder: 0 }, { results: [0, -1] });
  requests.purchased(purchases, { results: [0, -1] }, performance.now());
  requests.refused(purchases, new RpcError('UNAVAILABLE', 'stopping'));
  t.deepEqual(lines, []);
  const hostile = { ...purchases[0]!, requestId: 'x'.repeat(1_000) };
  requests.purchased([hostile, ...purchases], { results: [0, 0, -1] }, performance.now() - 5_000);
  t.like(lines[0], {
    message: 'slow request',
    call: 'ProcessOrders',
    requests: 3,
    requestIds: ['r-0', 'r-1'],
  });
});
