// postgres-limits.ts: how long things may take between a service and its database, and why so long.

/** To have a connection that takes statements. The next host of the list waits meanwhile. */
export const CONNECT_TIMEOUT_MS = 3_000;
/** For one statement on the server's side. What a service sends takes milliseconds; a table of a million rows, seconds. */
export const STATEMENT_TIMEOUT_MS = 4_000;
/** For a lock. The one that holds it is another statement of the same service, or a service that was cut off. */
export const LOCK_TIMEOUT_MS = 2_000;
/** Longer than the server's own limits: a connection without an answer by then leads nowhere, and is given up. */
export const ANSWER_TIMEOUT_MS = 5_000;
/** Between two attempts to connect: doubled from the first to the last. */
export const RECONNECT_DELAY_MS = { min: 50, max: 800 } as const;
/** A migration may rewrite a table, and another process may be at it. */
export const MIGRATION_TIMEOUT_MS = 600_000;

/** The oldest major version of PostgreSQL that is spoken to, as server_version_num has it: 14, for
 *  client_connection_check_interval. */
export const SERVER_VERSION_MIN = 140_000;

/**
 * How long whoever has a seat may act on it without hearing from the database. A successor waits so long, and a tenth
 * longer, before it lets anybody see a change: a killed service then has a successor that sells within 3 s (contract), and
 * a database that stands still for less is not felt.
 */
export const SEAT_LEASE_MS = 1_500;
/** A seat is renewed by each write, and, where nothing is written, this often: four may be late before it is felt. */
export const RENEW_INTERVAL_MS = 300;
/** A standby looks at the seat this often. */
export const WATCH_INTERVAL_MS = 200;
/** A holder whose session has ended may be reconnecting: it is given so long since its last renewal. */
export const SESSION_GRACE_MS = 600;
/** The clock of the waiting service and that of the holder may run at different speeds. */
export const LEASE_MARGIN = 1.1;
/** Trouble that is over by then is nobody's business. */
export const TROUBLE_PATIENCE_MS = 1_000;
/** For a look-up, reconnecting included: whoever asks is told within 2 s (contract). */
export const READ_PATIENCE_MS = 1_500;
/** Rows in one answer: a few milliseconds of the server's time, some megabytes. */
export const ROWS_READ_AT_ONCE = 10_000;
