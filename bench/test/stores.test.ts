// Stores as bench starts them: nothing of the environment of whoever runs it reaches them, and one that only fails is
// given up.

import http from 'node:http';
import test from 'ava';
import { parseSettings, settingsEnvironment } from '../../src/settings.js';
import { LoadGenerator } from '../load/load-generator.js';
import { listen } from '../peers/peer-process.js';
import { parseBenchOptions } from '../run/bench-options.js';
import type { ScenarioContext } from '../scenarios/scenario.js';
import { clients } from '../scenarios/sessions.js';
import { serverEnvironment } from '../store/server-process.js';
import { startToystore } from '../store/toystore.js';

/** Settings that would keep a store from working, or change what is measured. */
const HOSTILE = {
  ...Object.fromEntries(Object.keys(settingsEnvironment(parseSettings([], {}))).map((name) => [name, 'nonsense'])),
  CATALOG_ADDRESS: '127.0.0.1:1',
  ORDER_ADDRESS: '127.0.0.1:1',
  DATABASE_URL: 'postgresql://127.0.0.1:1/',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
  NODE_OPTIONS: '--no-such-option',
} as const;

test.before(() => {
  Object.assign(process.env, HOSTILE);
});

test.after.always(() => {
  for (const name of Object.keys(HOSTILE)) delete process.env[name];
});

test('no setting of the store comes from the environment', (t) => {
  const environment = serverEnvironment({ THREADS: '2' });
  for (const name of Object.keys(HOSTILE)) {
    t.is(environment[name], { THREADS: '2', LOG_LEVEL: 'warn' }[name], name);
  }
  t.is(environment.PATH, process.env.PATH);
});

test('a store that is started among settings of a store sells all the same', async (t) => {
  const store = await startToystore({ settings: { THREADS: '1' } });
  try {
    const answer = await fetch(`http://${store.host}:${store.port}/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"name":"Tux","quantity":1}',
    });
    t.is(answer.status, 200, await answer.text());
  } finally {
    await store.stop();
  }
});

test('a scenario whose warm-up gets errors stops at once and says what they were', async (t) => {
  const server = http.createServer((_, response) => {
    response.writeHead(503, { 'Content-Length': 5 }).end('later');
  });
  const port = await listen(server);
  const generator = new LoadGenerator();
  const steps: string[] = [];
  const context: ScenarioContext = {
    options: parseBenchOptions(['clients', '--url', `http://127.0.0.1:${port}`]),
    generator,
    signal: new AbortController().signal,
    step: (text) => steps.push(text),
    addRows: (rows) => t.deepEqual(rows, []),
    addFigures: () => t.fail('figures were added'),
    note: () => {},
  };
  try {
    const error = await t.throwsAsync(clients(context));
    t.regex(error!.message, /^toystore gave \d+ errors and no answer while it was warmed up: 503 later$/);
    t.deepEqual(steps, ['starting toystore', 'toystore, warming up']);
  } finally {
    generator.close();
    server.close();
    server.closeAllConnections();
  }
});
