// The shelf from which only that is thrown out for which nobody asks.

import test from 'ava';
import { type Shelved, SieveShelf } from '../../src/frontend/sieve-shelf.js';
import { SeededRandom } from '../support/simulated-random.js';

function entry(name: string): Shelved {
  return { name, isAskedFor: false, newer: undefined, older: undefined };
}

/** Asks for each name in turn as a front end does: what is not there is put up. @returns the names that were there */
function ask(shelf: SieveShelf<Shelved>, names: Iterable<string>): string[] {
  const found: string[] = [];
  for (const name of names) {
    const shelved = shelf.get(name);
    if (shelved === undefined) shelf.add(entry(name));
    else shelved.isAskedFor = true;
    if (shelved !== undefined) found.push(name);
  }
  return found;
}

const cases: [why: string, capacity: number, asked: string, left: string][] = [
  ['there is room', 3, 'A B C', 'A B C'],
  ['the oldest goes first', 3, 'A B C D', 'B C D'],
  ['what was asked for twice stays', 3, 'A B A C D', 'A C D'],
  ['a mark lasts for one round of the hand', 2, 'A B A B C D', 'C D'],
  ['the hand goes on from where it was', 3, 'A B C A D E', 'A D E'],
  ['all were asked for twice: the oldest goes', 2, 'A A B B C', 'B C'],
  ['one place', 1, 'A A B C', 'C'],
  ['no place', 0, 'A A B', ''],
];

for (const [why, capacity, asked, left] of cases) {
  test(`SIEVE: ${why}`, (t) => {
    const shelf = new SieveShelf<Shelved>(capacity);
    const names = asked.split(' ');
    ask(shelf, names);
    t.is(
      [...new Set(names)]
        .sort()
        .filter((name) => shelf.get(name) !== undefined)
        .join(' '),
      left,
    );
    t.true(shelf.size <= capacity);
  });
}

test('a scan over a million toys leaves the popular ones where they are', (t) => {
  const capacity = 1_000;
  const popular = Array.from({ length: capacity / 2 }, (_, index) => `popular ${index}`);
  const shelf = new SieveShelf<Shelved>(capacity);
  ask(shelf, popular);
  ask(shelf, popular);
  for (let index = 0; index < 1_000_000; index++) ask(shelf, [`scanned ${index}`]);
  t.is(ask(shelf, popular).length, popular.length);
  t.is(shelf.size, capacity);
});

test('what becomes popular finds its place among what was', (t) => {
  const shelf = new SieveShelf<Shelved>(100);
  const random = new SeededRandom(7);
  const names = (word: string): string[] => Array.from({ length: 2_000 }, () => `${word} ${random.integer(0, 79)}`);
  ask(shelf, names('old'));
  ask(shelf, names('new'));
  t.true(ask(shelf, names('new')).length > 1_800);
});
