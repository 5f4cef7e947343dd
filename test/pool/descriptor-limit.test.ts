// A process with few descriptors: connections beyond them are refused in words, and those before and after are
// served. And a pool's process says nothing on stderr.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { PoolStats } from '../../src/pool/index.js';
import { LineClient } from './support/line-client.js';
import { forEachHandoff } from './support/pools.js';

const POOL_PROCESS = fileURLToPath(new URL('./fixtures/pool-process.js', import.meta.url));
/** Enough for the process, its threads, the pool's reserve, and some hundred connections. */
const DESCRIPTORS = 280;
const CLIENTS = 300;

forEachHandoff(test, `${CLIENTS} connections at a limit of ${DESCRIPTORS} descriptors`, async (t, handoff) => {
  const limited = `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`;
  const child = spawn('sh', ['-c', limited, process.execPath, POOL_PROCESS, handoff]);
  t.teardown(() => child.kill('SIGKILL'));
  const stderr = text(child.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const stats = async (): Promise<PoolStats> => {
    child.stdin.write('stats\n');
    return JSON.parse((await lines.next()).value);
  };

  const clients: LineClient[] = [];
  const answers: (string | undefined)[] = [];
  // One after the other: of many refused at once some may be closed without a word.
  for (let index = 0; index < CLIENTS; index += 1) {
    const client = await LineClient.connect(port);
    clients.push(client);
    const answer = await client.ask('who');
    answers.push(answer);
    if (answer === 'descriptor-limit') await client.closed;
  }
  const served = clients.filter((_, index) => answers[index]?.startsWith('thread'));
  const refused = answers.filter((answer) => answer === 'descriptor-limit').length;
  t.is(served.length + refused, CLIENTS, 'every connection is answered, one way or the other');
  t.true(served.length >= 50 && refused >= CLIENTS - DESCRIPTORS, `${served.length} served, ${refused} refused`);
  t.like(await stats(), { accepted: CLIENTS, refused, lost: 0, sessions: served.length });

  // Those that were served still are, and when they leave there is room again.
  for (const client of served) t.regex((await client.ask('who'))!, /^thread/);
  await Promise.all(served.map((client) => client.close()));
  while ((await stats()).sessions > 0);
  const [next] = await LineClient.connectMany(port, 1);
  t.regex((await next!.ask('who'))!, /^thread/);
  await next!.close();

  child.stdin.end();
  const [code] = await once(child, 'exit');
  t.is(code, 0);
  t.is(await stderr, '');
});
