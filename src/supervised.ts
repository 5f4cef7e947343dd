// supervised.ts: what a service and the supervisor that started it say to each other, over the IPC channel between them.
//
// Services start at the same time, and what is wrong with their settings may be wrong for all of them: so each tells the
// supervisor the line of its fatal error, which prints the first. A line of a later start goes into the supervisor's log.

/** Set by the supervisor. A channel alone proves nothing: process managers give one too. */
const VARIABLE = 'TOYSTORE_SUPERVISED';

/** The last message of a service that cannot go on. */
export interface FatalMessage {
  readonly fatal: string;
}

export const SUPERVISED_ENVIRONMENT: NodeJS.ProcessEnv = { [VARIABLE]: '1' };

export function isSupervised(): boolean {
  return process.connected && process.env[VARIABLE] !== undefined;
}

/** Resolves when the line is on its way, or cannot be any more. */
export function tellSupervisor(fatal: string): Promise<void> {
  const message: FatalMessage = { fatal };
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

/** The line in a message from a service; undefined if it is another one. */
export function fatalLineOf(message: unknown): string | undefined {
  const { fatal } = (message ?? {}) as Partial<FatalMessage>;
  return typeof fatal === 'string' ? fatal : undefined;
}
