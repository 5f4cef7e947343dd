// The command that a container's health check runs: its exit code and its one line.

import test from 'ava';
import { freePort } from '../support/free-port.js';
import { StoreProcess } from '../support/store-process.js';

/** Where no proxy is: whoever asks by way of it gets no answer. */
const NO_PROXY_HERE = 'http://127.0.0.1:9';

async function health(service: string, env: Record<string, string>): Promise<[number | null, string]> {
  await using asked = await StoreProcess.spawn('health', { env }, [service]);
  const { code } = await asked.exited;
  return [code, [...asked.stdout, ...asked.stderr].join('\n')];
}

for (const [service, setting] of [
  ['catalog', 'CATALOG_PORT'],
  ['frontend', 'FRONTEND_PORT'],
] as const) {
  test(`${service}: well while it runs, whatever proxy is meant for the world outside`, async (t) => {
    await using running = await StoreProcess.start(service);
    for (const env of [{}, { http_proxy: NO_PROXY_HERE, grpc_proxy: NO_PROXY_HERE }])
      t.deepEqual(await health(service, { [setting]: String(running.port), ...env }), [0, `${service} is well`]);
  });

  test(`${service}: not well when nothing is there`, async (t) => {
    const [code, line] = await health(service, { [setting]: String(await freePort()) });
    t.is(code, 1);
    t.regex(line, new RegExp(`^${service} is not well: .+`));
  });
}

test('a service that there is not', async (t) => {
  t.deepEqual(await health('shop', {}), [2, '"shop" is no service: name catalog, order or frontend']);
});
