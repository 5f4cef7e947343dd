// Both sides of a thread's session counts, and the notice that keeps a freed place from going unseen.

import { once } from 'node:events';
import { Socket } from 'node:net';
import test from 'ava';
import { SessionCounter, SessionLedger } from '../../src/pool/session-counters.js';

function bothSides(): { ledger: SessionLedger; counter: SessionCounter; notices: () => number } {
  let notices = 0;
  const ledger = new SessionLedger();
  const counter = new SessionCounter(ledger.words, () => {
    notices += 1;
  });
  return { ledger, counter, notices: () => notices };
}

test('sent, arrived, ended and lost', (t) => {
  const { ledger, counter } = bothSides();
  for (let sent = 0; sent < 4; sent += 1) ledger.countSent();
  t.like(ledger, { sent: 4, sessions: 4, onTheWay: 4 });
  counter.countReceived();
  counter.countReceived();
  counter.countLost();
  t.like(ledger, { sessions: 3, onTheWay: 1, lost: 1 });
  t.is(counter.arrived, 3);
  counter.countEnded();
  t.like(ledger, { sessions: 2, onTheWay: 1, ended: 1 });
  ledger.takeBack();
  t.like(ledger, { sent: 3, sessions: 1, onTheWay: 0 });
});

test('one notice for each request, at the next change', (t) => {
  const { ledger, counter, notices } = bothSides();
  counter.countReceived();
  t.is(notices(), 0);
  ledger.requestNotice();
  t.is(notices(), 0);
  counter.countEnded();
  counter.countReceived();
  t.is(notices(), 1);
  ledger.requestNotice();
  ledger.requestNotice();
  counter.countEnded();
  counter.countEnded();
  t.is(notices(), 2);
});

test('counts wrap at 32 bits', (t) => {
  const { ledger, counter } = bothSides();
  // As after 2^32 - 1 sessions that have come and gone.
  ledger.words.fill(-1, 0, 2);
  ledger.takeBack();
  t.like(ledger, { sessions: 0, onTheWay: 0 });
  for (let sent = 0; sent < 3; sent += 1) ledger.countSent();
  counter.countReceived();
  counter.countReceived();
  t.like(ledger, { sessions: 3, onTheWay: 1 });
  counter.countEnded();
  t.like(ledger, { sessions: 2, onTheWay: 1 });
});

test('a place is given back once: when its session asks for it, or when its socket closes', async (t) => {
  const { ledger, counter } = bothSides();
  const [watcher, customer, stranger] = [new Socket(), new Socket(), new Socket()];
  for (const socket of [watcher, customer]) {
    ledger.countSent();
    counter.countUntilClosed(socket);
  }
  counter.freePlace(stranger);
  t.is(ledger.sessions, 2);
  counter.freePlace(watcher);
  counter.freePlace(watcher);
  t.is(ledger.sessions, 1);
  for (const socket of [watcher, customer]) {
    socket.destroy();
    await once(socket, 'close');
  }
  t.is(ledger.sessions, 0);
});
