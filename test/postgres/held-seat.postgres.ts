// What a network and a server can do to writes: each of them is carried out, and once.

import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { PostgresError } from '../../src/postgres/index.js';
import { FaultProxy } from './support/fault-proxy.js';
import { ADD_NOTE, takeNotesSeat, writeNotes } from './support/notes-database.js';
import { PostgresServer } from './support/postgres-server.js';

const NOTES =
  'SELECT count(*)::integer AS notes, coalesce(max(number), -1)::integer AS newest, (SELECT notes::integer FROM notes.total) AS counted FROM notes.notes';

test.before(async () => {
  server = await PostgresServer.start();
});
test.after.always(() => server[Symbol.asyncDispose]());

let server: PostgresServer;

test('writes are carried out in order, pipelined', async (t) => {
  const url = await server.createDatabase();
  const seat = await takeNotesSeat(url);
  t.is(await writeNotes(seat, { count: 500 }), 500);
  t.deepEqual(await server.query(NOTES, url), [{ notes: 500, newest: 499, counted: 500 }]);
  await seat.leave();
});

const FAULTS: readonly (readonly [what: string, fault: (proxy: FaultProxy, round: number) => unknown])[] = [
  ['the connection is cut', (proxy) => proxy.cut()],
  ['the connection is cut in the middle of a statement', (proxy, round) => proxy.cutAfter(1 + round * 13)],
  ['the answer is lost after the commit', (proxy) => proxy.loseAnswers()],
];

for (const [what, fault] of FAULTS) {
  test(`${what}, again and again: every write is carried out once`, async (t) => {
    const url = await server.createDatabase();
    await using proxy = await FaultProxy.start(server.port);
    const seat = await takeNotesSeat(url.replace(`:${server.port}`, `:${proxy.port}`));
    let from = 0;
    for (let round = 0; round < 15; round++) {
      const cut = proxy.untilCut();
      const writing = writeNotes(seat, { from, count: 60 });
      await pause(round % 3);
      fault(proxy, round);
      // A fault that waits for bytes strikes in the next renewal at the latest.
      await Promise.all([writing, cut]);
      from += 60;
    }
    t.deepEqual(await server.query(NOTES, url), [{ notes: from, newest: from - 1, counted: from }]);
    t.is(seat.trouble, undefined);
    await seat.leave();
  });
}

test('a network that stands still: writes wait, and the lease runs out meanwhile', async (t) => {
  const url = await server.createDatabase();
  await using proxy = await FaultProxy.start(server.port);
  const seat = await takeNotesSeat(url.replace(`:${server.port}`, `:${proxy.port}`));
  await writeNotes(seat, { count: 10 });
  proxy.stall();
  const writing = writeNotes(seat, { from: 10, count: 10 });
  await pause(1_600);
  t.true(seat.servesUntilMs < performance.now());
  proxy.pass();
  t.is(await writing, 10);
  t.true(seat.servesUntilMs > performance.now());
  t.deepEqual(await server.query(NOTES, url), [{ notes: 20, newest: 19, counted: 20 }]);
  await seat.leave();
});

test('a network that stands still for good is given up, and another connection does it', async (t) => {
  const url = await server.createDatabase();
  await using proxy = await FaultProxy.start(server.port);
  const seat = await takeNotesSeat(url.replace(`:${server.port}`, `:${proxy.port}`));
  await writeNotes(seat, { count: 10 });
  proxy.stall();
  const writing = writeNotes(seat, { from: 10, count: 10 });
  // Longer than any connection waits for an answer.
  await pause(5_500);
  proxy.cut();
  proxy.pass();
  t.is(await writing, 10);
  t.deepEqual(await server.query(NOTES, url), [{ notes: 20, newest: 19, counted: 20 }]);
  await seat.leave();
});

test.serial(
  'the server is killed and comes back, again and again: nothing confirmed is lost, nothing done twice',
  async (t) => {
    await using own = await PostgresServer.start();
    const url = await own.createDatabase();
    const seat = await takeNotesSeat(url);
    let from = 0;
    for (let round = 0; round < 3; round++) {
      const writing = writeNotes(seat, { from, count: 400 });
      await pause(20);
      await (round === 2 ? own.stop() : own.kill());
      while (seat.trouble === undefined) await pause(5);
      await own.resume();
      t.is(await writing, 400);
      from += 400;
    }
    t.deepEqual(await own.query(NOTES, url), [{ notes: from, newest: from - 1, counted: from }]);
    await seat.leave();
  },
);

test('a write that its table refuses loses the seat, and those behind it are not carried out', async (t) => {
  const url = await server.createDatabase();
  const seat = await takeNotesSeat(url);
  await writeNotes(seat, { count: 1 });
  await server.query('ALTER TABLE notes.total ADD CHECK (notes < 2)', url);
  const writes = [1, 2, 3].map((number) => seat.write(ADD_NOTE, [number]));
  for (const write of writes) {
    const error = await t.throwsAsync(write, { instanceOf: PostgresError });
    t.is(error.code, 'REJECTED');
    t.regex(error.message, /total_notes_check/);
  }
  t.is((await seat.lost).code, 'REJECTED');
  t.deepEqual(await server.query(NOTES, url), [{ notes: 1, newest: 0, counted: 1 }]);
  await seat.leave();
});

test('a write that is refused for a while is tried again, with those behind it, in order', async (t) => {
  const url = await server.createDatabase();
  const seat = await takeNotesSeat(url);
  await writeNotes(seat, { count: 1 });
  await server.query(
    `CREATE TABLE notes.attempts (of bigint); CREATE SEQUENCE notes.attempt;
     CREATE FUNCTION notes.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF nextval('notes.attempt') <= 3 THEN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON notes.notes FOR EACH ROW EXECUTE FUNCTION notes.refuse()`,
    url,
  );
  t.is(await writeNotes(seat, { from: 1, count: 20, inFlight: 8 }), 20);
  t.deepEqual(await server.query(NOTES, url), [{ notes: 21, newest: 20, counted: 21 }]);
  t.is(seat.trouble, undefined);
  await seat.leave();
});

test('a database that forgot what it had confirmed is noticed at the next connection', async (t) => {
  const url = await server.createDatabase();
  await using proxy = await FaultProxy.start(server.port);
  const seat = await takeNotesSeat(url.replace(`:${server.port}`, `:${proxy.port}`));
  await writeNotes(seat, { count: 5 });
  await server.query('UPDATE notes.seats SET step = 2', url);
  proxy.cut();
  const error = await seat.lost;
  t.is(error.code, 'REWOUND');
  t.regex(error.message, /^the database has lost writes of the writer that it had confirmed/);
  await seat.leave();
});
