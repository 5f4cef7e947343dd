// src/lock: a reader-writer lock over shared memory, for what the threads of one process share.

export { LockError, type LockErrorCode } from './lock-error.js';
export type { LockRepair } from './lock-repair.js';
export { type LockStats, SharedRwLock } from './shared-rw-lock.js';
