import test from 'ava';
import { serveBatches } from '../../src/rpc/index.js';
import { connectToShelf, lengthsOf, lookStream, startShelf } from './shelf-service.js';

test('answers each call with the outcome of its item', async (t) => {
  const shelf = await startShelf((call) => serveBatches(call, lengthsOf));
  const peer = connectToShelf(shelf.port);
  const stream = lookStream(peer);
  const names = Array.from({ length: 1000 }, (_, index) => 'x'.repeat(index % 64));
  const lengths = await Promise.all(names.map((name) => stream.call(name, 5000)));
  t.deepEqual(
    lengths,
    names.map((name) => name.length),
  );
  await stream.drain();
  peer.close();
  await shelf.thread.drain();
  await shelf.kill();
});
