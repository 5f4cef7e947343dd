// shares.ts: a flame graph in a dozen numbers: which service, and which kind of code, the processor time goes to.
//
// Time counts where it is spent, not where it was called from: a write to a socket is a write whoever answers by it.

import type { Frame } from './merge-profiles.js';

/** Kinds of code, by the name of a frame (see merge-profiles.ts); the first that fits. */
const KINDS: readonly [kind: string, frame: RegExp][] = [
  ['garbage collection', /^\(garbage collector\)$/],
  ['waiting in fdatasync', /^fdatasync/],
  ['writing to sockets', /^(write(Latin1String|Utf8String|AsciiString|Buffer)|writev)$/],
  ['gRPC and its messages', / (@grpc|@bufbuild|protobufjs|proto\/gen)\//],
  ['the HTTP library', / src\/http\//],
  ['the streams between services', / src\/rpc\//],
  ['the thread pool and the lock', / src\/pool\//],
  ['the journal', / src\/storage\//],
  ['the services themselves', / src\//],
  ['Node.js', / node:/],
];
const REST = 'native code and the rest';

/** A part of all processor time, from 0 to 1. */
export interface Share {
  readonly name: string;
  readonly share: number;
}

/** @param store the tree of all services */
export function sharesByService(store: Frame): Share[] {
  return largestFirst(new Map(store.children.map(({ name, value }) => [name, value])), store.value);
}

/** @param store the tree of all services */
export function sharesByKind(store: Frame): Share[] {
  const own = new Map<string, number>();
  const walk = (frame: Frame): void => {
    const inChildren = frame.children.reduce((sum, child) => sum + child.value, 0);
    const kind = KINDS.find(([, pattern]) => pattern.test(frame.name))?.[0] ?? REST;
    own.set(kind, (own.get(kind) ?? 0) + frame.value - inChildren);
    for (const child of frame.children) walk(child);
  };
  walk(store);
  return largestFirst(own, store.value);
}

/** `frontend 84%, catalog 14%, order 2%`. */
export function formatShares(shares: readonly Share[]): string {
  return shares.map(({ name, share }) => `${name} ${Math.round(share * 100)}%`).join(', ');
}

function largestFirst(values: ReadonlyMap<string, number>, all: number): Share[] {
  const shares = [...values].map(([name, value]) => ({ name, share: all === 0 ? 0 : value / all }));
  return shares.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share);
}
