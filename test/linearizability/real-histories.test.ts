// What a real store answers about one toy, on several connections at once, could come from a stock that does one thing at
// a time: undisturbed, and while services are killed. Recorded in this process; see stock-checker.ts.

import test from 'ava';
import { checkChaos } from '../chaos/check-chaos.js';
import { checkStockHistory } from './stock-checker.js';
import type { Operation } from './stock-history.js';

const TOY = { name: 'Tux', stock: 400 };
const CLIENTS = 8;

function count(operations: readonly Operation[], outcome: Operation['outcome']): number {
  return operations.filter((operation) => operation.outcome === outcome).length;
}

test.serial('the history of a store that nobody disturbs is linearizable', async (t) => {
  const { notes } = await checkChaos(t, { seconds: 2, clients: CLIENTS, shelf: [TOY], hasSaboteur: false });
  const operations = notes.histories.get(TOY.name)!.operations();
  t.true(count(operations, 'sold') > 0 && count(operations, 'shown') > 0, `${operations.length} operations`);
  t.is(count(operations, 'open'), 0, 'everything was answered');
  t.deepEqual(checkStockHistory(TOY.stock, operations), { isLinearizable: true });

  // The check has teeth: without one of its sales the same history is impossible.
  const lastRead = operations.findLast(({ outcome }) => outcome === 'shown')!;
  const lost = operations.find(({ outcome, answeredAt }) => outcome === 'sold' && answeredAt < lastRead.calledAt);
  t.truthy(lost);
  const spoiled = operations.filter((operation) => operation !== lost);
  t.false(checkStockHistory(TOY.stock, spoiled).isLinearizable);
});

test.serial('the history of a store whose services are killed is linearizable', async (t) => {
  const { notes } = await checkChaos(t, { seconds: 4, clients: CLIENTS, shelf: [TOY], hasSaboteur: true });
  const operations = notes.histories.get(TOY.name)!.operations();
  t.true(operations.length > 0);
  t.deepEqual(checkStockHistory(TOY.stock, operations), { isLinearizable: true });
});
