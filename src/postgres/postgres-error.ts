// postgres-error.ts: everything that can go wrong with a database, as a closed list of codes, each with one line that says
// what happened where, and what to do.
//
// Source: PostgreSQL, appendix A, "PostgreSQL Error Codes". No message has a password or a whole URL in it.

/** Where a server is. */
export interface HostAddress {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
}

/**
 * What happened, and what the caller should do about it:
 *
 * - `BAD_URL`: DATABASE_URL cannot be used. Correct it.
 * - `UNREACHABLE`: no server of the list could be spoken to. Try again.
 * - `UNTRUSTED`: a server's certificate does not check out, or it takes no TLS. Try again; a person must look.
 * - `WRONG_PASSWORD`: user or password were refused. Try again: a person may correct them on the server's side.
 * - `NO_RIGHT`: there is no such database, or the user may not do what it must. As above.
 * - `WRONG_VERSION`: the server is older than what the store needs. As above.
 * - `READ_ONLY`: only servers that take no writes answer: standbys, or one set read-only. Try again: one may be promoted.
 * - `NEWER_SCHEMA`: the tables are those of a newer version of the store. A person must start that one.
 * - `BAD_SCHEMA`: the tables are not what a migration left. A person must look.
 * - `TIMED_OUT`: no answer in time, or a lock was not to be had in time. Whether it was carried out may be open.
 * - `LOST`: the connection broke. Whether what was sent was carried out is open.
 * - `BUSY`: refused for now and not carried out (a serialization failure, no room on the disk, …). Try again.
 * - `REJECTED`: a statement was refused for what it says. Our own mistake, or somebody else's hand in the tables.
 * - `FENCED`: another process has taken the seat. Nothing was written. End, and start again as a standby.
 * - `REWOUND`: the database has forgotten what it had confirmed. End; a person must look.
 */
export type PostgresErrorCode =
  | 'BAD_URL'
  | 'UNREACHABLE'
  | 'UNTRUSTED'
  | 'WRONG_PASSWORD'
  | 'NO_RIGHT'
  | 'WRONG_VERSION'
  | 'READ_ONLY'
  | 'NEWER_SCHEMA'
  | 'BAD_SCHEMA'
  | 'TIMED_OUT'
  | 'LOST'
  | 'BUSY'
  | 'REJECTED'
  | 'FENCED'
  | 'REWOUND';

/** An expected failure of a database, or of the way to it. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';

  constructor(
    readonly code: PostgresErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** What pg's own errors have, where a server said something. */
interface ServerError extends Error {
  /** SQLSTATE, or the system's code. */
  readonly code?: string;
  readonly constraint?: string;
}

/** By SQLSTATE or its class (the first two characters); the longer one wins. */
const CODES: Readonly<Record<string, PostgresErrorCode>> = {
  '08': 'LOST',
  '25006': 'READ_ONLY',
  '28': 'WRONG_PASSWORD',
  '3D000': 'NO_RIGHT',
  '40': 'BUSY',
  '42501': 'NO_RIGHT',
  '53': 'BUSY',
  '55P03': 'TIMED_OUT',
  '57014': 'TIMED_OUT',
  '57': 'LOST',
  '57P03': 'UNREACHABLE',
  '58': 'BUSY',
};

/** Node's words for a certificate that does not check out (tls, "X509 certificate error codes"). */
const CERTIFICATE_ERROR = /^(?:CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA)/;

/** An error of pg's, of the server's or of the system's as one of ours, with the server's address in its line. */
export function postgresErrorFrom(error: unknown, { host, port }: HostAddress): PostgresError {
  if (error instanceof PostgresError) return error;
  const { message, code = '', constraint } = error as ServerError;
  const where = `PostgreSQL at ${host}:${port}`;
  if (CERTIFICATE_ERROR.test(code))
    return new PostgresError('UNTRUSTED', `${where}: its certificate is not trusted: ${message}`);
  if (/does not support SSL/.test(message))
    return new PostgresError('UNTRUSTED', `${where} takes no TLS, which sslmode asks for`);
  if (/^SASL: .*password must be/.test(message)) {
    return new PostgresError('WRONG_PASSWORD', `${where} asks for a password: put one into DATABASE_URL`);
  }
  const kind = CODES[code] ?? CODES[code.slice(0, 2)];
  switch (kind) {
    case 'WRONG_PASSWORD':
      return new PostgresError(kind, `${where} refused user or password: ${message}`);
    case 'NO_RIGHT':
      return new PostgresError(kind, `${where}: ${message}: see docs/postgres.md for what the user needs`);
    case 'READ_ONLY':
      return new PostgresError(kind, `${where} takes no writes: ${message}`);
    case 'UNREACHABLE':
      return new PostgresError(kind, `${where} takes no connections yet: ${message}`);
    case 'TIMED_OUT':
      return new PostgresError(kind, `${where} took too long: ${message}`);
    case 'BUSY':
      return new PostgresError(kind, `${where} cannot do it now: ${message}`);
    case 'LOST':
      return new PostgresError(kind, `${where}: the connection was lost: ${message}`);
  }
  if (/^[0-9A-Z]{5}$/.test(code)) {
    const of = constraint === undefined ? '' : ` (${constraint})`;
    return new PostgresError('REJECTED', `${where} refused a statement: ${message}${of}`);
  }
  return new PostgresError('LOST', `${where}: the connection was lost: ${message}`);
}

/** Whether the same statement may be carried out when it is sent again, here or at another server. */
export function mayBeRepeated({ code }: PostgresError): boolean {
  return code === 'LOST' || code === 'TIMED_OUT' || code === 'BUSY' || code === 'READ_ONLY' || code === 'UNREACHABLE';
}
