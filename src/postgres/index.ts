// What src/postgres offers; see docs/postgres.md. The library knows no toys: the tables and statements are their owners'.

export { Database, type DatabaseOptions } from './database.js';
export { HeldSeat } from './held-seat.js';
export { PostgresError, type PostgresErrorCode } from './postgres-error.js';
export { Reader } from './reader.js';
export { takeSeat } from './seat.js';
export { fencedStatement } from './seat-statements.js';
export type { Connection, Connector, Row, Statement, Values } from './session.js';
