// process-usage.ts: what processes use, from /proc; there is none of it on systems other than Linux, where all of this
// is 0 or undefined.

import { readdirSync, readFileSync } from 'node:fs';

const KIB_PER_MIB = 1024;
/** The unit of times in /proc/<pid>/stat: USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;
/** Fields of /proc/<pid>/stat behind the name in parentheses: see proc(5). */
const UTIME_FIELD = 11;
const STIME_FIELD = 12;

/** A process and all below it; with `word`, those that have it on their command line. */
export function familyOf(pid: number, word?: string): number[] {
  const parents = new Map<number, number>();
  for (const name of readFolder('/proc')) {
    if (/^\d+$/.test(name)) parents.set(Number(name), statusField(Number(name), 'PPid'));
  }
  const isBelow = (child: number): boolean =>
    child === pid || (parents.has(child) && child > 1 && isBelow(parents.get(child)!));
  const hasWord = (member: number): boolean =>
    word === undefined || readProc(member, 'cmdline').split('\0').includes(word);
  return [...parents.keys()].filter((member) => isBelow(member) && hasWord(member));
}

/** Resident memory of all these processes, in MiB. */
export function memoryMib(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + statusField(pid, 'VmRSS'), 0) / KIB_PER_MIB;
}

/** Processor time of all these processes since they began, in the kernel too, in seconds; to 0.01 s. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticksOf = (pid: number): number => {
    const fields = readProc(pid, 'stat').split(') ').at(-1)!.split(' ');
    return Number(fields[UTIME_FIELD] ?? 0) + Number(fields[STIME_FIELD] ?? 0);
  };
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0) / TICKS_PER_S;
}

/** How many files and sockets this process may have open; undefined where that cannot be known. */
export function openFilesMax(): number | undefined {
  const limit = /^Max open files\s+(\S+)/m.exec(readProc(process.pid, 'limits'))?.[1];
  if (limit === undefined) return undefined;
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

function statusField(pid: number, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readProc(pid, 'status'))?.[1] ?? 0);
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // It ended between being listed and being read, or there is no /proc.
    return '';
  }
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
