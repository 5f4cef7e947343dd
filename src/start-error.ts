// start-error.ts: why a service cannot start, in one line that says what to do.

import { messageOf } from './log.js';
import type { ServiceName } from './settings.js';

/** A start that cannot go on; the message is for the user. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

type SystemError = NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string };

/** The StartError that says what to do about whatever ended the start of a service. */
export function explainStartError(error: unknown, service: ServiceName): StartError {
  if (error instanceof StartError) return error;
  const { code, address, port, hostname, syscall } = (error instanceof Error ? error : {}) as SystemError;
  const message = messageOf(error);
  const portSetting = `${service.toUpperCase()}_PORT`;
  const explain = (): string => {
    switch (code) {
      case 'EADDRINUSE':
        return `port ${port} on ${address} is in use: stop what listens there, or set ${portSetting}`;
      case 'EADDRNOTAVAIL':
        return `this machine has no address ${address}: set HOST to one that it has`;
      case 'EACCES':
        if (syscall !== 'listen') return message;
        return `no permission to listen on port ${port}: set ${portSetting} to 1024 or above`;
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return `the name ${hostname} cannot be resolved: set HOST to an address of this machine`;
      case 'EMFILE':
      case 'ENFILE':
        return `too many open files (${message}): raise the limit with ulimit -n, or lower THREADS`;
      case 'INACCESSIBLE':
        return `${message}: set DATA_DIR to a directory that can be written`;
      case 'CORRUPT':
        return `${message}; put the right file back, or move its directory away`;
      case 'HANDOFF_UNSUPPORTED':
        return 'this Node.js has no native handoff: set HANDOFF to ipc or auto';
      default:
        return message;
    }
  };
  return new StartError(`${service}: ${explain()}`);
}
