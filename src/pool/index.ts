// src/pool: a connection thread pool on worker_threads: it moves sockets between threads and knows no protocol.

export type { ListenOptions } from './acceptor.js';
export { type HandoffWay, hasNativeHandoff } from './handoff.js';
export { PoolError, type PoolErrorCode } from './pool-error.js';
export type { ThreadPoolEvents } from './pool-events.js';
export type { RefusalReason, ThreadPoolOptions } from './pool-options.js';
export type { PoolStats, ThreadStats } from './pool-stats.js';
export type { ThreadExit, ThreadExitReason, ThreadState } from './pool-thread.js';
export { ThreadPool } from './thread-pool.js';
export type { CreateThreadService, ThreadContext, ThreadModule, ThreadService } from './thread-service.js';
