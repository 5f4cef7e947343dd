// running-server.ts: the parent's side of a server process: its port, and the processor time it has used so far.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ServerName } from './answer.js';

/** A server in a process of its own. */
export class RunningServer {
  private constructor(
    readonly name: ServerName,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {}

  static async start(name: ServerName): Promise<RunningServer> {
    const file = fileURLToPath(new URL('./server-process.js', import.meta.url));
    const child = fork(file, ['--server', name], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const [{ address }] = (await once(child, 'message')) as [{ address: string }];
    return new RunningServer(name, Number(new URL(address).port), child);
  }

  /** Microseconds of processor time, in the kernel too. */
  async cpuMicroseconds(): Promise<number> {
    const answer = once(this.child, 'message') as Promise<[{ cpu: NodeJS.CpuUsage }]>;
    this.child.send('cpu');
    const [{ cpu }] = await answer;
    return cpu.user + cpu.system;
  }

  async stop(): Promise<void> {
    const exited = once(this.child, 'exit');
    this.child.kill();
    await exited;
  }
}
