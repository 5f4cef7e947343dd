// database-url.ts: DATABASE_URL -> where the servers are, and how they are spoken to.
//
//   postgresql://user:password@first:5432,second:5432/database?sslmode=verify-full&sslrootcert=/etc/ca.pem
//
// The form is libpq's ("Connection URIs"), several hosts included, which no URL parser takes. Every part may be
// percent-encoded. No message of this file shows the text itself: there is a password in it.

import { readFileSync } from 'node:fs';
import { type HostAddress, PostgresError } from './postgres-error.js';

/** A certificate and its key that prove who we are, as PEM. */
export interface Tls {
  /** Whether the server must prove that it is the one that the host names. */
  readonly verifies: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface DatabaseTarget {
  /** Tried in turn. */
  readonly hosts: readonly HostAddress[];
  readonly user: string;
  readonly database: string;
  readonly tls: Tls | undefined;
  /** A function, so that no inspection and no log of this object shows it; '' is none. */
  readonly password: () => string;
}

const FORM = /^postgres(?:ql)?:\/\/(?:([^:@/?]*)(?::([^@/?]*))?@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/;
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]*)(?::(\d{1,5}))?$/;
const DEFAULT_PORT = 5432;
const PORT_MAX = 65_535;
const SSL_MODES = ['disable', 'require', 'verify-full'] as const;
const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const;

type Parameters = Partial<Record<(typeof PARAMETERS)[number], string>>;

/** @throws PostgresError BAD_URL with a line that names what is wrong, and not the URL */
export function parseDatabaseUrl(text: string): DatabaseTarget {
  const parts = FORM.exec(text);
  if (parts === null) throw badUrl('it must be postgresql://user:password@host:port/database');
  const [user, password, hosts, database] = [parts[1], parts[2], parts[3], parts[4]].map((part) => decoded(part ?? ''));
  const parameters = parseParameters(parts[5] ?? '');
  if (user === '') throw badUrl('it names no user');
  if (database === '') throw badUrl('it names no database');
  return {
    hosts: hosts!.split(',').map(parseHost),
    user: user!,
    database: database!,
    tls: parseTls(parameters),
    password: () => password!,
  };
}

/** Where the database is, for log lines: hosts and name alone. */
export function describeTarget({ hosts, database }: DatabaseTarget): string {
  return `${hosts.map(({ host, port }) => `${host}:${port}`).join(',')}/${database}`;
}

function parseHost(text: string): HostAddress {
  const [, host = '', port = `${DEFAULT_PORT}`] = HOST.exec(text) ?? [];
  if (host === '' || Number(port) > PORT_MAX) throw badUrl(`${JSON.stringify(text)} in it is no host:port`);
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function parseParameters(text: string): Parameters {
  const parameters: Parameters = {};
  for (const pair of text.split('&').filter((one) => one !== '')) {
    const name = decoded(pair.split('=')[0]!);
    const known = PARAMETERS.find((one) => one === name);
    if (known === undefined) {
      throw badUrl(`its parameter ${JSON.stringify(name)} is none of ${PARAMETERS.join(', ')}`);
    }
    parameters[known] = decoded(pair.slice(pair.indexOf('=') + 1));
  }
  return parameters;
}

function parseTls({ sslmode = 'disable', sslrootcert, sslcert, sslkey }: Parameters): Tls | undefined {
  const mode = SSL_MODES.find((one) => one === sslmode);
  if (mode === undefined)
    throw badUrl(`its sslmode is ${JSON.stringify(sslmode)}: it must be one of ${SSL_MODES.join(', ')}`);
  const files = { ca: sslrootcert, cert: sslcert, key: sslkey };
  if (mode === 'disable') {
    if (Object.values(files).some((path) => path !== undefined)) {
      throw badUrl('it names certificates, but no sslmode: verify-full is the one that checks them');
    }
    return undefined;
  }
  if ((sslcert === undefined) !== (sslkey === undefined)) throw badUrl('sslcert and sslkey belong together');
  const read = Object.entries(files).flatMap(([name, path]) => (path === undefined ? [] : [[name, readPem(path)]]));
  return { verifies: mode === 'verify-full', ...Object.fromEntries(read) };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw badUrl(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl('a % in it is not followed by two hexadecimal digits');
  }
}

function badUrl(what: string): PostgresError {
  return new PostgresError('BAD_URL', `DATABASE_URL cannot be used: ${what}`);
}
