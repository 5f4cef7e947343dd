// tls-identity.ts: what a process shows of itself in TLS, read from PEM files and checked before it is used: whatever is
// wrong with them is one line that says what to do, at the start and not at the first connection.
//
//   files ──read──► PEM texts ──certificates, key──► checked: in date, belong together, lead to an authority ──► TlsIdentity
//
// A certificate file may hold a chain: the certificate itself first, then those of intermediate authorities (RFC 8446 4.4.2).

import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** A certificate, its key, and whom to trust, as PEM texts: it can be sent to another thread. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
  /** Certificates of the authorities that sign the peers' certificates; undefined: peers need none. */
  readonly authorities: string | undefined;
  /**
   * What session tickets are encrypted with. Threads must share it, or a session could be resumed only on the thread that
   * began it. A new identity has new ones: sessions that the old one began are not resumed.
   */
  readonly ticketKeys: Uint8Array;
}

/** A file, with the name by which a user knows it, for errors. */
export interface NamedFile {
  readonly setting: string;
  readonly path: string;
}

/** Where an identity lies. */
export interface IdentityFiles {
  readonly certificate: NamedFile;
  readonly key: NamedFile;
  readonly authorities?: NamedFile;
  /** What the certificate is for; one that is made for something else only is refused. */
  readonly roles: readonly TlsRole[];
}

/** Purposes of a certificate, by their names in RFC 5280 4.2.1.12. */
export type TlsRole = 'serverAuth' | 'clientAuth';

/** Files that no identity can be made of. The message is one line that says what to do. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
}

/** What the interface of tls.Server asks for. */
const TICKET_KEY_BYTES = 48;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const ENCRYPTED_KEY = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
const ROLE_IDS: Readonly<Record<TlsRole, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};
/** anyExtendedKeyUsage */
const ANY_ROLE_ID = '2.5.29.37.0';

/**
 * Reads the files and makes sure that connections can be made with them.
 *
 * @throws IdentityError
 */
export function readIdentity(files: IdentityFiles): TlsIdentity {
  const nowMs = Date.now();
  const certificate = readText(files.certificate);
  const key = readText(files.key);
  const authorities = files.authorities && readText(files.authorities);
  const chain = parseCertificates(files.certificate, certificate);
  for (const one of chain) requireInDate(files.certificate, one, nowMs);
  requireRoles(files, chain[0]);
  if (!chain[0].checkPrivateKey(parseKey(files.key, key))) {
    const { certificate: of, key: at } = files;
    throw new IdentityError(
      `${named(at)} is not the key of the certificate in ${of.path} (${of.setting}): ` +
        'set both to files that were made together',
    );
  }
  if (authorities !== undefined) requireAuthority(files, chain, authorities, nowMs);
  requireOpenSslTakes(files, { cert: certificate, key, ca: authorities });
  return { certificate, key, authorities, ticketKeys: randomBytes(TICKET_KEY_BYTES) };
}

/** When the certificate ends, in milliseconds since 1970. */
export function validUntilMs({ certificate }: TlsIdentity): number {
  return Date.parse(new X509Certificate(certificate).validTo);
}

function named({ setting, path }: NamedFile): string {
  return `${setting}: ${path}`;
}

function readText(file: NamedFile): string {
  try {
    return readFileSync(file.path, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new IdentityError(`${named(file)} does not exist: set it to a PEM file`);
    throw new IdentityError(`${named(file)} cannot be read (${code}): let the user who runs this read it`);
  }
}

type Chain = readonly [own: X509Certificate, ...intermediates: X509Certificate[]];

function parseCertificates(file: NamedFile, text: string): Chain {
  const [own, ...others] = text.match(CERTIFICATE) ?? [];
  if (own === undefined) {
    throw new IdentityError(
      `${named(file)} has no certificate in it: it must be PEM, which begins with -----BEGIN CERTIFICATE-----`,
    );
  }
  try {
    return [new X509Certificate(own), ...others.map((other) => new X509Certificate(other))];
  } catch (error) {
    throw new IdentityError(`${named(file)} has a damaged certificate in it (${reasonOf(error)}): make it anew`);
  }
}

function parseKey(file: NamedFile, text: string): KeyObject {
  if (ENCRYPTED_KEY.test(text)) {
    throw new IdentityError(
      `${named(file)} is encrypted, and nobody could be asked for its passphrase: ` +
        'write the key without one, as by openssl pkey -in FILE -out FILE',
    );
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new IdentityError(
      `${named(file)} has no private key in it (${reasonOf(error)}): ` +
        'it must be PEM, which begins with -----BEGIN PRIVATE KEY-----',
    );
  }
}

function requireInDate(file: NamedFile, { subject, validFrom, validTo }: X509Certificate, nowMs: number): void {
  const [fromMs, toMs] = [Date.parse(validFrom), Date.parse(validTo)];
  const what = `${named(file)}: the certificate of ${subjectLine(subject)}`;
  if (nowMs > toMs) throw new IdentityError(`${what} expired on ${dateOf(toMs)}: put one there that is valid`);
  if (nowMs < fromMs) {
    throw new IdentityError(`${what} is valid from ${dateOf(fromMs)} on: wait until then, or set the clock`);
  }
}

function requireRoles({ certificate, roles }: IdentityFiles, own: X509Certificate): void {
  // The extended key usage, where there is one. Without it a certificate is for everything.
  const usages: readonly string[] | undefined = own.keyUsage;
  if (usages === undefined || usages.includes(ANY_ROLE_ID)) return;
  const missing = roles.filter((role) => !usages.includes(ROLE_IDS[role]));
  if (missing.length === 0) return;
  throw new IdentityError(
    `${named(certificate)}: the certificate is not made for ${missing.join(' and ')}: ` +
      `make one with extendedKeyUsage=${roles.join(',')}`,
  );
}

/** From the certificate over its intermediates to one of the authorities; each signs the one before. */
function requireAuthority(
  { certificate, authorities }: IdentityFiles,
  chain: Chain,
  text: string,
  nowMs: number,
): void {
  const trusted = parseCertificates(authorities!, text);
  let [last, ...others] = chain as readonly X509Certificate[] as [X509Certificate, ...X509Certificate[]];
  for (;;) {
    const signer = trusted.find((authority) => isSignedBy(last, authority));
    if (signer !== undefined) return requireInDate(authorities!, signer, nowMs);
    const next = others.find((other) => isSignedBy(last, other));
    if (next === undefined) break;
    others = others.filter((other) => other !== next);
    last = next;
  }
  throw new IdentityError(
    `${named(certificate)} is not signed by an authority in ${authorities!.path} (${authorities!.setting}): ` +
      'put the authority there, and certificates in between behind the certificate itself',
  );
}

function isSignedBy(one: X509Certificate, signer: X509Certificate): boolean {
  return one.checkIssued(signer) && one.verify(signer.publicKey);
}

/** The last word: keys that are too short, for one, are refused only here. */
function requireOpenSslTakes(
  { certificate, key }: IdentityFiles,
  options: { cert: string; key: string; ca: string | undefined },
): void {
  try {
    createSecureContext(options);
  } catch (error) {
    throw new IdentityError(
      `${named(certificate)} cannot be used with ${key.path} (${reasonOf(error)}): make both anew`,
    );
  }
}

/** `error:0A00018F:SSL routines::ee key too small`: what stands behind the last colon is for people. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.slice(message.lastIndexOf(':') + 1).trim();
}

/** Node.js puts each part of a name on a line of its own. */
function subjectLine(subject: string | undefined): string {
  return (subject ?? '').replaceAll('\n', ', ') || 'nobody';
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
