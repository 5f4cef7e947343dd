import test from 'ava';
import { type Guest, Places } from './places.js';

/** A guest that writes its name down when it gets a place, and may do something then. */
function guest(name: string, seats: string[], then: () => void = () => undefined): Guest {
  return {
    seated: () => {
      seats.push(name);
      then();
    },
  };
}

test('first come, first served', (t) => {
  const seats: string[] = [];
  const places = new Places(2);
  for (const name of ['a', 'b', 'c', 'd']) places.come(guest(name, seats));
  t.deepEqual(seats, ['a', 'b']);
  places.leave();
  places.leave();
  t.deepEqual(seats, ['a', 'b', 'c', 'd']);
});

test('one who gives up leaves the others where they are', (t) => {
  const seats: string[] = [];
  const places = new Places(1);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => guest(name, seats));
  for (const who of [a!, b!, c!]) places.come(who);
  places.giveUp(a!);
  places.giveUp(b!);
  places.leave();
  t.deepEqual(seats, ['a', 'c']);
});

test('there are never more guests than places, and nobody is seated twice', (t) => {
  const seats: string[] = [];
  const places = new Places(1);
  places.come(guest('a', seats));
  // b leaves as soon as it has its place: the next one comes in while b is still being told.
  places.come(guest('b', seats, () => places.leave()));
  places.come(guest('c', seats));
  places.come(guest('d', seats));
  places.leave();
  t.deepEqual(seats, ['a', 'b', 'c']);
});

test('who comes while another one is being seated does not pass it', (t) => {
  const seats: string[] = [];
  const places = new Places(1);
  places.come(guest('a', seats));
  places.come(guest('b', seats, () => places.come(guest('c', seats))));
  places.leave();
  t.deepEqual(seats, ['a', 'b']);
});
