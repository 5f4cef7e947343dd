// merge-profiles.ts: V8 CPU profiles of many threads -> one tree for one flame graph.
//
//   store
//   ├── frontend        ├── main thread     ├── (stacks …)      value: milliseconds of processor time
//   │                   ├── worker 1        ├── …
//   ├── order           …
//   └── catalog         …
//
// Source: the `Profiler.Profile` type of the Chrome DevTools Protocol.

import path from 'node:path';

/** The part of a .cpuprofile that is read. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  /** The node on top of the stack, at each sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** A thread's profile, and whose it is. */
export interface ThreadProfile {
  readonly service: string;
  /** 0 is the main thread. */
  readonly thread: number;
  readonly profile: CpuProfile;
}

/** A frame of the flame graph: milliseconds in it and in what it called. */
export interface Frame {
  readonly name: string;
  value: number;
  readonly children: Frame[];
}

const US_PER_MS = 1000;
/** Waiting is not work: a thread that sleeps has no width. */
const IDLE = '(idle)';
/** Nor is what the profiler itself does when it starts. */
const PROFILER_FILE = /\/profiler-preload\.js$/;

/** @returns the whole store's tree; frames are called `function file:line` */
export function mergeProfiles(threads: readonly ThreadProfile[]): Frame {
  const services = [...new Set(threads.map(({ service }) => service))].map((service) => {
    const ofService = threads.filter((thread) => thread.service === service).sort((a, b) => a.thread - b.thread);
    return sum(service, ofService.map(threadFrame));
  });
  return sum('store', services);
}

function threadFrame({ thread, profile }: ThreadProfile): Frame {
  const ownUs = new Map<number, number>();
  for (const [index, id] of profile.samples.entries()) {
    ownUs.set(id, (ownUs.get(id) ?? 0) + Math.max(0, profile.timeDeltas[index] ?? 0));
  }
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const name = thread === 0 ? 'main thread' : `worker ${thread}`;
  const root = profile.nodes[0];
  if (root === undefined) return sum(name, []);
  const toFrame = (id: number): Frame => {
    const node = nodes.get(id)!;
    const frame: Frame = { name: frameName(node.callFrame), value: (ownUs.get(id) ?? 0) / US_PER_MS, children: [] };
    for (const childId of node.children ?? []) {
      const { functionName, url } = nodes.get(childId)!.callFrame;
      if (functionName === IDLE || PROFILER_FILE.test(url)) continue;
      const child = toFrame(childId);
      if (child.value === 0) continue;
      addChild(frame.children, child);
      frame.value += child.value;
    }
    return frame;
  };
  return sum(name, toFrame(root.id).children);
}

/** V8 keeps one function apart by how it was called; in the picture it is one. */
function addChild(children: Frame[], child: Frame): void {
  const twin = children.find((one) => one.name === child.name);
  if (twin === undefined) {
    children.push(child);
    return;
  }
  twin.value += child.value;
  for (const grandchild of child.children) addChild(twin.children, grandchild);
}

function sum(name: string, children: Frame[]): Frame {
  return { name, value: children.reduce((total, child) => total + child.value, 0), children };
}

function frameName({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const modules = url.lastIndexOf('/node_modules/');
  const place = modules === -1 ? url.replace(/^file:\/\/.*\/dist\//, '') : url.slice(modules + '/node_modules/'.length);
  return `${name} ${place.startsWith('file:') ? path.basename(place) : place}:${lineNumber + 1}`;
}
