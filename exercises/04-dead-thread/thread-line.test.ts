import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { ThreadLine } from './thread-line.js';

/** Answers in capitals; ends at the word 'end', and fails at the word 'fail'. */
const CODE = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', ({ id, text }) => {
    if (text === 'end') process.exit(0);
    if (text === 'fail') throw new Error('as it was told');
    if (text !== 'silence') parentPort.postMessage({ id, text: text.toUpperCase() });
  });`;

function line(t: ExecutionContext): ThreadLine {
  const worker = new Worker(CODE, { eval: true, stderr: true });
  worker.on('error', () => undefined);
  t.teardown(() => worker.terminate());
  return new ThreadLine(worker);
}

const NO_ANSWER_MS = 5_000;

/** What came of a question: its answer, or that there is none, or not even that. */
function outcome(asked: Promise<string>): Promise<string> {
  const silence = new Promise<string>((resolve) => {
    setTimeout(resolve, NO_ANSWER_MS, 'nothing was ever heard of it').unref();
  });
  return Promise.race([asked.catch(() => 'rejected'), silence]);
}

test('many questions, each with its own answer, and nothing is kept of them', async (t) => {
  const thread = line(t);
  t.deepEqual(await Promise.all(['a', 'b', 'c'].map((text) => thread.ask(text))), ['A', 'B', 'C']);
  t.is(thread.openCount, 0);
});

for (const word of ['end', 'fail']) {
  test(`a thread that ends by "${word}" answers nobody any more, and everybody is told`, async (t) => {
    const thread = line(t);
    const asked = [thread.ask('silence'), thread.ask(word)];
    t.deepEqual(await Promise.all(asked.map(outcome)), ['rejected', 'rejected']);
    t.is(await outcome(thread.ask('too late')), 'rejected');
    t.is(thread.openCount, 0);
  });
}
