import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { SharedFinds } from './shared-finds.js';

/** A catalog that reads its stock when a message comes, and answers when the test says so. */
class SlowCatalog {
  readonly stock = new Map([
    ['Tux', 10],
    ['Fox', 20],
  ]);
  readonly messages: (readonly string[])[] = [];
  readonly #answers: (() => void)[] = [];

  readonly ask = (names: readonly string[]): Promise<number[]> => {
    this.messages.push(names);
    const read = names.map((name) => this.stock.get(name) ?? -1);
    return new Promise((resolve) => {
      this.#answers.push(() => resolve(read));
    });
  };

  /** Answers the oldest message. */
  answer(): void {
    this.#answers.shift()?.();
  }
}

test('finds of one turn are one message, and equal ones one place in it', async (t) => {
  const catalog = new SlowCatalog();
  const finds = new SharedFinds(catalog.ask);
  const found = Promise.all(['Tux', 'Fox', 'Tux', 'Tux'].map((name) => finds.find(name)));
  await turn();
  await turn();
  t.deepEqual(catalog.messages, [['Tux', 'Fox']]);
  catalog.answer();
  t.deepEqual(await found, [10, 20, 10, 10]);
});

test('a find never shows a stock that was over before it began', async (t) => {
  const catalog = new SlowCatalog();
  const finds = new SharedFinds(catalog.ask);
  const early = finds.find('Tux');
  await turn();
  await turn();
  // The message has been read; now somebody buys, is told so, and looks.
  catalog.stock.set('Tux', 9);
  const late = finds.find('Tux');
  await turn();
  await turn();
  catalog.answer();
  catalog.answer();
  t.is(await early, 10);
  t.is(await late, 9);
});

test('an answer that comes late does not part those who wait for the next', async (t) => {
  const catalog = new SlowCatalog();
  const finds = new SharedFinds(catalog.ask);
  const early = finds.find('Tux');
  await turn();
  await turn();
  catalog.answer();
  const late = [finds.find('Tux')];
  await early;
  late.push(finds.find('Tux'));
  await turn();
  await turn();
  catalog.answer();
  catalog.answer();
  t.deepEqual(await Promise.all(late), [10, 10]);
  t.deepEqual(catalog.messages, [['Tux'], ['Tux']]);
});
