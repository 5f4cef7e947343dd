// watchers.ts: what people who look at the page cost those who buy: finds with ten watchers of /live beside finds of the
// same store with none.

import type { Target } from '../store/server-process.js';
import { storeTarget } from '../store/toystore.js';
import { contest } from './contest.js';
import type { RatioBar } from './ratios.js';

const WATCHERS = 10;
const NOBODY = 'nobody watches';
const WATCHED = `${WATCHERS} watchers`;
const CONNECTIONS = 64;
const ROUNDS = 21;
const ROUND_MS = 1000;
const BARS: readonly RatioBar[] = [
  { operation: 'query', clients: CONNECTIONS, quantity: 'throughput', bar: { atLeast: 0.98 } },
];

export const watchers = contest(({ options }) => ({
  contestants: [
    { name: WATCHED, start: NOBODY, watch },
    { name: NOBODY, start: () => storeTarget(options) },
  ],
  loads: [{ work: 'query', clients: CONNECTIONS }],
  beside: { [NOBODY]: BARS },
  rounds: ROUNDS,
  roundMs: ROUND_MS,
}));

/** Resolves when each has had its first figures. @returns ends them */
async function watch({ host, port }: Target): Promise<() => Promise<void>> {
  const end = new AbortController();
  const open = async (): Promise<void> => {
    const { body } = await fetch(`http://${host}:${port}/live`, { signal: end.signal });
    const events = body!.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    for (let text = ''; !text.includes('event: figures'); ) {
      const { done, value } = await events.next();
      if (done) throw new Error(`/live ended after ${JSON.stringify(text)}`);
      text += value;
    }
    void readOn(events).catch(() => {}); // the end of the round is an error to it
  };
  await Promise.all(Array.from({ length: WATCHERS }, open));
  return async () => end.abort();
}

async function readOn(events: AsyncIterator<string>): Promise<void> {
  while (!(await events.next()).done);
}
