import test from 'ava';
import { type CpuProfile, renderOwnTimes } from '../profile/own-times.js';

/** Nodes as `id:function:url`; samples as ids, a millisecond each. */
function profile(nodes: readonly string[], samples: readonly number[]): CpuProfile {
  return {
    nodes: nodes.map((text) => {
      const [id, functionName, ...url] = text.split(':');
      return { id: Number(id), callFrame: { functionName: functionName!, url: url.join(':'), lineNumber: 9 } };
    }),
    samples,
    timeDeltas: samples.map(() => 1000),
  };
}

test('own times of all threads are added by function, largest first, waiting left out', (t) => {
  const parse = '2:parse:file:///a/dist/src/http/parser.js';
  const main = profile(['1:(idle):', parse], [1, 2, 2, 2]);
  const worker = profile(['1:(idle):', parse, '3::file:///a/node_modules/@grpc/call.js'], [1, 1, 3]);
  t.deepEqual(renderOwnTimes([main, worker]).split('\n'), [
    '   75.0%       3 ms  parse src/http/parser.js:10',
    '   25.0%       1 ms  (anonymous) @grpc/call.js:10',
  ]);
});

test('threads that only waited have no times', (t) => {
  t.is(renderOwnTimes([profile(['1:(idle):'], [1, 1])]), '');
});
