import test from 'ava';
import { type CpuProfile, type Frame, mergeProfiles } from '../profile/merge-profiles.js';

/** Nodes as `id:name>child,child`; samples as ids, a millisecond each. */
function profile(nodes: readonly string[], samples: readonly number[]): CpuProfile {
  return {
    nodes: nodes.map((text) => {
      const [, id, functionName, children = ''] = /^(\d+):([^>]*)>?(.*)$/.exec(text)!;
      const ids = children === '' ? [] : children.split(',').map(Number);
      return { id: Number(id), callFrame: { functionName: functionName!, url: '', lineNumber: -1 }, children: ids };
    }),
    samples,
    timeDeltas: samples.map(() => 1000),
  };
}

/** `name value [children]` */
const draw = ({ name, value, children }: Frame): string =>
  `${name} ${value}${children.length === 0 ? '' : ` [${children.map(draw).join(' | ')}]`}`;

test('services, threads and stacks, in milliseconds', (t) => {
  const main = profile(['1:(root)>2', '2:run>3', '3:parse'], [2, 3, 3]);
  const worker = profile(['1:(root)>2', '2:work'], [2, 2]);
  const tree = mergeProfiles([
    { service: 'frontend', thread: 2, profile: worker },
    { service: 'frontend', thread: 0, profile: main },
    { service: 'catalog', thread: 0, profile: worker },
  ]);
  t.is(
    draw(tree),
    'store 7 [frontend 5 [main thread 3 [run 3 [parse 2]] | worker 2 2 [work 2]] | catalog 2 [main thread 2 [work 2]]]',
  );
});

test('waiting has no width, and what took no time is left out', (t) => {
  const tree = mergeProfiles([
    { service: 'order', thread: 0, profile: profile(['1:(root)>2,3,4', '2:(idle)', '3:run', '4:never'], [2, 2, 3]) },
  ]);
  t.is(draw(tree), 'store 1 [order 1 [main thread 1 [run 1]]]');
});

test('what the profiler itself does is left out', (t) => {
  const callFrame = { functionName: 'start', url: 'file:///x/dist/bench/profile/profiler-preload.js', lineNumber: 1 };
  const root = profile(['1:(root)>2', '2:onMessage>3'], []).nodes;
  const measured = { nodes: [...root, { id: 3, callFrame }], samples: [3, 3], timeDeltas: [1000, 1000] };
  t.is(draw(mergeProfiles([{ service: 'order', thread: 0, profile: measured }])), 'store 0 [order 0 [main thread 0]]');
});

test('one function called twice from the same place is one frame', (t) => {
  const twice = profile(['1:(root)>2,4', '2:run>3', '3:parse', '4:run>5', '5:parse'], [3, 5, 4]);
  t.is(
    draw(mergeProfiles([{ service: 'order', thread: 0, profile: twice }])),
    'store 3 [order 3 [main thread 3 [run 3 [parse 2]]]]',
  );
});

test('frames say where a function is, without the machine’s folders', (t) => {
  const at = (url: string): string => {
    const nodes = [
      { id: 1, callFrame: { functionName: '(root)', url: '', lineNumber: -1 }, children: [2] },
      { id: 2, callFrame: { functionName: '', url, lineNumber: 9 } },
    ];
    const threads = [{ service: 's', thread: 0, profile: { nodes, samples: [2], timeDeltas: [1000] } }];
    return mergeProfiles(threads).children[0]!.children[0]!.children[0]!.name;
  };
  t.is(at('file:///home/me/store/dist/src/http/session.js'), '(anonymous) src/http/session.js:10');
  t.is(
    at('file:///x/dist/y/node_modules/@grpc/grpc-js/build/src/call.js'),
    '(anonymous) @grpc/grpc-js/build/src/call.js:10',
  );
  t.is(at('node:net'), '(anonymous) node:net:10');
});
