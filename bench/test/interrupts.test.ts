import { EventEmitter } from 'node:events';
import test from 'ava';
import { onInterrupts } from '../run/interrupts.js';

test('a Ctrl-C that npm passes on once more is one Ctrl-C; a later one is the second', (t) => {
  const source = new EventEmitter();
  const happened: string[] = [];
  let nowMs = 1000;
  const note = (word: string) => () => happened.push(word);
  onInterrupts({ first: note('first'), second: note('second') }, source, () => nowMs);
  source.emit('SIGINT');
  nowMs += 30;
  source.emit('SIGINT');
  t.deepEqual(happened, ['first']);
  nowMs += 2000;
  source.emit('SIGTERM');
  t.deepEqual(happened, ['first', 'second']);
});
