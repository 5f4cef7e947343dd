// certificates.ts: certificates for tests, made by openssl: good ones, and those that nobody should take.

import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IdentityFiles, readIdentity, type TlsIdentity, type TlsRole } from '../../src/tls/tls-identity.js';

/** Without it what needs certificates is skipped: Node.js can make none. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
export const WHY_SKIPPED = 'openssl is not installed';

export interface Signed {
  readonly certificate: string;
  readonly key: string;
}

export interface IssueOptions {
  /** Dates as of openssl: 20300101000000Z. Default: from a day ago for a month. */
  readonly from?: string;
  readonly until?: string;
  readonly names?: string;
  readonly isAuthority?: boolean;
  readonly extendedKeyUsage?: string;
  readonly keyType?: readonly string[];
}

const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const;
const MS_PER_DAY = 86_400_000;
const LOCAL_NAMES = 'DNS:localhost,IP:127.0.0.1,IP:::1';

/** A directory of PEM files. */
export class CertificateFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'certificates-'));
  #count = 0;

  /** An authority that signs itself. */
  authority(name = 'Test Authority'): Signed {
    const signed = this.#place();
    openssl(
      ...['req', '-x509', '-newkey', ...EC, '-nodes', '-keyout', signed.key, '-out', signed.certificate],
      ...['-days', '30', '-subj', `/CN=${name}`],
    );
    return signed;
  }

  /** A certificate signed by an authority. */
  issue(authority: Signed, options: IssueOptions = {}): Signed {
    const { from = dateOf(-1), until = dateOf(30), names = LOCAL_NAMES, isAuthority = false } = options;
    const signed = this.#place();
    const file = (extension: string): string => `${signed.certificate}.${extension}`;
    openssl(
      ...['req', '-newkey', ...(options.keyType ?? EC), '-nodes', '-keyout', signed.key, '-out', file('csr')],
      ...['-subj', `/CN=test ${this.#count}`],
    );
    const extensions = [`subjectAltName=${names}`, `basicConstraints=critical,CA:${isAuthority ? 'TRUE' : 'FALSE'}`];
    if (options.extendedKeyUsage !== undefined) extensions.push(`extendedKeyUsage=${options.extendedKeyUsage}`);
    writeFileSync(file('db'), '');
    writeFileSync(file('db.attr'), 'unique_subject=no\n');
    const config = [
      ...['[ca]', 'default_ca=here', '[here]', `database=${file('db')}`, `new_certs_dir=${this.path}`],
      ...['rand_serial=yes', 'policy=any', 'default_md=sha256', 'x509_extensions=added'],
      ...['[any]', 'commonName=supplied', '[added]', ...extensions],
    ];
    writeFileSync(file('cnf'), config.join('\n'));
    openssl(
      ...['ca', '-batch', '-notext', '-config', file('cnf'), '-in', file('csr'), '-out', signed.certificate],
      ...['-cert', authority.certificate, '-keyfile', authority.key, '-startdate', from, '-enddate', until],
    );
    return signed;
  }

  /** A file of several, one behind the other. */
  join(...paths: readonly string[]): string {
    return this.write(paths.map((path) => readFileSync(path, 'latin1')).join(''));
  }

  write(text: string): string {
    const path = join(this.path, `${this.#count++}.txt`);
    writeFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #place(): Signed {
    const name = join(this.path, String(this.#count++));
    return { certificate: `${name}.pem`, key: `${name}.key` };
  }
}

/** Days from now as a date of openssl. */
export function dateOf(days: number): string {
  return new Date(Date.now() + days * MS_PER_DAY).toISOString().replace(/[-:T]|\.\d+/g, '');
}

/** The files as the settings TEST_CERT, TEST_KEY and TEST_CA would name them. */
export function identityFiles(
  { certificate, key }: Signed,
  authorities?: string,
  roles: readonly TlsRole[] = ['serverAuth'],
): IdentityFiles {
  return {
    certificate: { setting: 'TEST_CERT', path: certificate },
    key: { setting: 'TEST_KEY', path: key },
    ...(authorities === undefined ? {} : { authorities: { setting: 'TEST_CA', path: authorities } }),
    roles,
  };
}

/** An identity of whatever stands in the files. */
export function uncheckedIdentity({ certificate, key }: Signed, authorities?: string): TlsIdentity {
  const read = (path: string): string => readFileSync(path, 'latin1');
  return {
    certificate: read(certificate),
    key: read(key),
    authorities: authorities === undefined ? undefined : read(authorities),
    ticketKeys: randomBytes(48),
  };
}

/** An identity for a server of a test, made anew. */
export function makeIdentity(): TlsIdentity {
  using folder = new CertificateFolder();
  return readIdentity(identityFiles(folder.issue(folder.authority())));
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
