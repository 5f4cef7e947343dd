// seat-statements.ts: what is said to PostgreSQL about a seat: one row of the table `seats` for each service.
//
//   service   holder, backend_pid, backend_start     who has it, and by which session
//             epoch, step                            raised with each holder, and with each of its writes
//             renewed_at                             by the database's clock

import type { Statement } from './session.js';

/**
 * In one statement: who has the seat, and whether a successor may end that one's session and take it. The clock is the
 * database's own, and decides nothing but when to try.
 */
export const WATCH: Statement = {
  name: 'watch-seat',
  text: `SELECT s.holder, s.epoch, a.pid IS NOT NULL AS "hasSession",
      s.holder IS NULL
      OR s.renewed_at < clock_timestamp() - $2 * interval '1 ms'
      OR (a.pid IS NULL AND s.renewed_at < clock_timestamp() - $3 * interval '1 ms') AS "isFree"
    FROM seats s LEFT JOIN pg_stat_activity a ON a.pid = s.backend_pid AND a.backend_start = s.backend_start
    WHERE s.service = $1`,
};

export const END_SESSION: Statement = {
  name: 'end-session',
  text: `SELECT pg_terminate_backend(a.pid) FROM seats s
    JOIN pg_stat_activity a ON a.pid = s.backend_pid AND a.backend_start = s.backend_start WHERE s.service = $1`,
};

/** Takes the seat, unless somebody else has since it was looked at. Waits for a write that is under way. */
export const TAKE: Statement = {
  name: 'take-seat',
  text: `UPDATE seats SET epoch = epoch + 1, step = 0, holder = $2, renewed_at = clock_timestamp(), backend_pid = a.pid,
      backend_start = a.backend_start
    FROM pg_stat_activity a
    WHERE service = $1 AND epoch = $3 AND a.pid = pg_backend_pid()
    RETURNING epoch`,
};

/**
 * A write. `text` goes on after the fence, acts only where `fence.is_new`, and ends with `SELECT … FROM fence`, so that an
 * answer without rows means that nothing was let through. Its own values begin with `$4`.
 */
export function fencedStatement(name: string, text: string): Statement {
  return {
    name,
    text: `WITH fence AS (
      UPDATE seats SET previous_step = step, step = greatest(step, $3), renewed_at = clock_timestamp()
      WHERE service = $1 AND epoch = $2 AND step >= $3::bigint - 1 RETURNING previous_step < $3::bigint AS is_new)
    ${text}`,
  };
}

export const RENEW = fencedStatement('renew-seat', 'SELECT is_new FROM fence');
export const READ_SEAT: Statement = {
  name: 'read-seat',
  text: 'SELECT epoch, step, holder FROM seats WHERE service = $1',
};
/** The session of the holder changes with each reconnect. */
export const SIT_DOWN: Statement = {
  name: 'sit-down',
  text: `UPDATE seats SET backend_pid = a.pid, backend_start = a.backend_start FROM pg_stat_activity a
    WHERE service = $1 AND epoch = $2 AND a.pid = pg_backend_pid()`,
};
export const LEAVE: Statement = {
  name: 'leave-seat',
  text: 'UPDATE seats SET holder = NULL, backend_pid = NULL, backend_start = NULL WHERE service = $1 AND epoch = $2',
};
