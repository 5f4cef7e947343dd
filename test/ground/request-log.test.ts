// What is written about slow requests: names, and not more lines than somebody can read.

import test from 'ava';
import { LimitedLine } from '../../src/limited-line.js';
import { Log } from '../../src/log.js';
import { fittingRequestId, loggedRequestId, newRequestId } from '../../src/request-id.js';
import { SLOW_REQUEST_MS, SlowRequestLog } from '../../src/request-log.js';

function listened(): { slow: SlowRequestLog; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = new Log('info', {}, (line) => lines.push(JSON.parse(line)));
  return { slow: new SlowRequestLog(log), lines };
}

test('a message that took long is one line, with the names of some of its requests', (t) => {
  const { slow, lines } = listened();
  const ids = ['a', '', ...Array.from({ length: 100 }, (_, index) => `id-${index}`)];
  slow.look('PlaceOrders', performance.now() - SLOW_REQUEST_MS - 500, () => ids);
  t.is(lines.length, 1);
  t.like(lines[0], { level: 'warn', message: 'slow request', call: 'PlaceOrders', requests: 102 });
  t.deepEqual((lines[0]!.requestIds as string[]).slice(0, 2), ['a', 'id-0']);
  t.true((lines[0]!.requestIds as string[]).length < 20);
  t.true((lines[0]!.durationMs as number) >= SLOW_REQUEST_MS + 500);
});

test('of a message that was quick not even the names are asked for', (t) => {
  const { slow, lines } = listened();
  slow.look('PlaceOrders', performance.now(), () => t.fail() as never);
  t.deepEqual(lines, []);
});

test('when everything is slow at once a few lines are written, and the next one says how many were not', (t) => {
  const lines: Record<string, unknown>[] = [];
  const line = new LimitedLine(new Log('warn', {}, (text) => lines.push(JSON.parse(text))), 'slow', 10);
  for (let index = 0; index < 1_000; index++) line.warn({ index }, 5_000 + index / 2);
  t.is(lines.length, 10);
  t.like(lines[9], { level: 'warn', message: 'slow', index: 9 });
  line.warn({}, 6_000);
  line.warn({}, 6_000);
  t.deepEqual(
    lines.slice(10).map(({ leftOut }) => leftOut),
    [990, undefined],
  );
});

test('a line whose period is a minute comes once a minute', (t) => {
  const times: number[] = [];
  const log = new Log('warn', {}, (text) => times.push(JSON.parse(text).nowMs));
  const line = new LimitedLine(log, 'still away', 1, 60_000);
  for (let nowMs = 0; nowMs < 150_000; nowMs += 500) line.warn({ nowMs }, nowMs);
  t.deepEqual(times, [0, 60_000, 120_000]);
});

test('a name fits or is none; names that are made up are all different', (t) => {
  for (const fits of ['a', '!~', 'x'.repeat(128)]) t.is(fittingRequestId(fits), fits);
  for (const none of ['', 'a b', 'a\n', 'ä', 'x'.repeat(129), undefined, Buffer.from('a')])
    t.is(fittingRequestId(none), '');
  const made = Array.from({ length: 1_000 }, newRequestId);
  t.is(new Set(made).size, 1_000);
  for (const id of made) t.is(fittingRequestId(id), id);
  t.deepEqual([loggedRequestId(''), loggedRequestId('a')], [undefined, 'a']);
});
