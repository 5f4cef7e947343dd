// A cluster under Patroni whose leader is killed while notes are written: none that was confirmed is lost.

import test from 'ava';
import { takeNotesSeat, writeNotes } from './support/notes-database.js';
import { PatroniCluster } from './support/patroni-cluster.js';

test.serial('the leader is killed under writes: another one goes on, and nothing confirmed is lost', async (t) => {
  t.timeout(240_000);
  await using cluster = await PatroniCluster.start();
  const seat = await takeNotesSeat(cluster.url());
  await writeNotes(seat, { count: 200 });
  const writing = writeNotes(seat, { from: 200, count: 5_000 });
  const killed = await cluster.killLeader();
  const killedAt = performance.now();
  await writing;
  t.log(`silent for ${((performance.now() - killedAt) / 1000).toFixed(1)} s`);
  cluster.revive(killed);
  await cluster.untilHealthy();
  const [row] = await seat.read({
    name: 'count',
    text: 'SELECT count(*)::integer AS notes, max(number)::integer AS newest FROM notes',
  });
  t.deepEqual(row, { notes: 5_200, newest: 5_199 });
  await seat.leave();
});
