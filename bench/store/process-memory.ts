// process-memory.ts: resident memory of processes, from /proc; there is none of it on systems other than Linux.

import { readdirSync, readFileSync } from 'node:fs';

const KIB_PER_MIB = 1024;

/** Resident memory of a process and all below it, in MiB; 0 where there is no /proc. */
export function familyMemoryMib(pid: number): number {
  try {
    const parents = new Map<number, number>();
    for (const name of readdirSync('/proc')) {
      if (/^\d+$/.test(name)) parents.set(Number(name), statusField(Number(name), 'PPid'));
    }
    const isBelow = (child: number): boolean =>
      child === pid || (parents.has(child) && child > 1 && isBelow(parents.get(child)!));
    const family = [...parents.keys()].filter(isBelow);
    return family.reduce((sum, member) => sum + statusField(member, 'VmRSS'), 0) / KIB_PER_MIB;
  } catch {
    return 0;
  }
}

/** The most that a process has had resident so far, in MiB; 0 where there is no /proc. */
export function peakMemoryMib(pid: number): number {
  return statusField(pid, 'VmHWM') / KIB_PER_MIB;
}

function statusField(pid: number, name: string): number {
  try {
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    // It ended between being listed and being read, or there is no /proc.
    return 0;
  }
}
