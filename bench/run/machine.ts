// machine.ts: what a figure depends on and a reader must know: the machine, Node, the commit.

import { execFileSync } from 'node:child_process';
import os from 'node:os';
import { ROOT } from './paths.js';

const BYTES_PER_GIB = 1024 ** 3;

/** Stands at the top of every report. */
export interface MachineFacts {
  readonly cpu: string;
  /** Cores that this process may use; a container may have fewer than the machine. */
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  /** The commit measured, with `+` behind it if files were changed since; `unknown` without git. */
  readonly commit: string;
}

export function readMachineFacts(): MachineFacts {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGib: Math.round((os.totalmem() / BYTES_PER_GIB) * 10) / 10,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    commit: readCommit(),
  };
}

function readCommit(): string {
  try {
    const commit = git('rev-parse', '--short', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}+`;
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
