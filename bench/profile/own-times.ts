// own-times.ts: CPU profiles in a dozen lines: the functions in which most processor time is spent, called functions not
// counted. Source of the format: the `Profiler.Profile` type of the Chrome DevTools Protocol.

import path from 'node:path';

/** The part of a .cpuprofile that is read. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** The node on top of the stack, at each sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

const LINES_MAX = 15;
const US_PER_MS = 1000;
const PERCENT = 100;
/** Waiting is not work. */
const IDLE = '(idle)';

/** `   12.5%     125 ms  parseHead src/http/parser/head.js:40`, the largest first. */
export function renderOwnTimes(profiles: readonly CpuProfile[]): string {
  const ownUs = new Map<string, number>();
  for (const { nodes, samples, timeDeltas } of profiles) {
    const names = new Map(nodes.map(({ id, callFrame }) => [id, frameName(callFrame)]));
    for (const [index, id] of samples.entries()) {
      const name = names.get(id) ?? IDLE;
      if (name !== IDLE) ownUs.set(name, (ownUs.get(name) ?? 0) + Math.max(0, timeDeltas[index] ?? 0));
    }
  }
  const allUs = [...ownUs.values()].reduce((sum, us) => sum + us, 0);
  const largest = [...ownUs].sort(([, one], [, other]) => other - one).slice(0, LINES_MAX);
  const lines = largest.map(([name, us]) => {
    const share = ((us / allUs) * PERCENT).toFixed(1);
    return `${share.padStart(7)}% ${Math.round(us / US_PER_MS)
      .toString()
      .padStart(7)} ms  ${name}`;
  });
  return lines.join('\n');
}

function frameName({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const modules = url.lastIndexOf('/node_modules/');
  const place = modules === -1 ? url.replace(/^file:\/\/.*\/dist\//, '') : url.slice(modules + '/node_modules/'.length);
  return `${name} ${place.startsWith('file:') ? path.basename(place) : place}:${lineNumber + 1}`;
}
