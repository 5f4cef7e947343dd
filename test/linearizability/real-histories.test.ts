// What a real store answers about one toy, on several connections at once, could come from a stock that does one thing at
// a time: undisturbed, and while services are killed. Recorded in this process; see stock-checker.ts.

import test, { type ExecutionContext } from 'ava';
import { checkChaos } from '../chaos/check-chaos.js';
import { isThorough } from '../support/effort.js';
import { checkStockHistory } from './stock-checker.js';
import type { Operation } from './stock-history.js';

const TOY = { name: 'Tux', stock: 400 };
const CLIENTS = 8;

const killed = 'the history of a store whose services are killed is linearizable';

async function killedIsLinearizable(t: ExecutionContext): Promise<void> {
  const { notes } = await checkChaos(t, { seconds: 10, clients: CLIENTS, shelf: [TOY], hasSaboteur: true });
  const operations = notes.histories.get(TOY.name)!.operations();
  t.true(operations.length > 0);
  t.deepEqual(checkStockHistory(TOY.stock, operations), { isLinearizable: true });
}

test.serial('the history of a store that nobody disturbs is linearizable', async (t) => {
  const { notes } = await checkChaos(t, {
    seconds: isThorough ? 5 : 1,
    clients: CLIENTS,
    shelf: [TOY],
    hasSaboteur: false,
  });
  const operations = notes.histories.get(TOY.name)!.operations();
  t.deepEqual(checkStockHistory(TOY.stock, operations), { isLinearizable: true });

  // The check has teeth: nobody can have seen a piece of what was sold on the shelf again.
  const sold = operations.reduce((sum, one) => sum + (one.outcome === 'sold' ? one.quantity : 0), 0);
  t.true(sold > 0);
  const later = { calledAt: Number.MAX_SAFE_INTEGER - 1, answeredAt: Number.MAX_SAFE_INTEGER };
  const impossible: Operation = { kind: 'read', outcome: 'shown', stock: TOY.stock - sold + 1, ...later };
  t.false(checkStockHistory(TOY.stock, [...operations, impossible]).isLinearizable);
});

// In short runs of chaos.test.ts each toy's history is checked as well.
if (isThorough) test.serial(killed, killedIsLinearizable);
else test.serial.skip(`${killed}; skipped: it takes TEST_EFFORT=10`, killedIsLinearizable);
