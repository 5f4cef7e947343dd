// watched-identity.ts: an identity that is read again when its files change, or on SIGHUP. Connections that there are keep
// the one that they began with.
//
//   files change ──two looks alike──┐
//   SIGHUP ─────────────────────────┴─► read, check ──sound──► the present one; everybody is told
//                                              └──unsound──► one line; the one before stays
//
// Files are looked at by their names again and again: certificates are replaced by renaming, or behind a symbolic link,
// and a watch of the file system would go on watching the old one. Certificate and key are two files, replaced one after
// the other: so a change is taken when nothing has changed any more for one look.

import { statSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { messageOf } from '../log.js';
import { notify, serveCalls } from '../port-calls.js';
import { type IdentityFiles, readIdentity, type TlsIdentity, validUntilMs } from './tls-identity.js';

/** A new certificate is in use after two or three of these. A look at three files takes some microseconds. */
const LOOK_INTERVAL_MS = 1_000;

/** Where what happens is told. */
export interface IdentityLog {
  info(message: string, fields: Record<string, unknown>): void;
  error(message: string, fields: Record<string, unknown>): void;
}

/** What a thread is told; the name is that of the identity. */
type IdentityNotices = Record<string, { request: TlsIdentity; reply: undefined }>;

export class WatchedIdentity {
  readonly #name: string;
  readonly #files: IdentityFiles;
  readonly #log: IdentityLog;
  readonly #first: TlsIdentity;
  readonly #ports = new Set<MessagePort>();
  readonly #listeners = new Set<(identity: TlsIdentity) => void>();
  readonly #timer: NodeJS.Timeout;
  readonly #onHangUp = (): void => this.read();
  #current: TlsIdentity;
  /** The files as they were at the last look, and when they were read. */
  #seen: string;
  #read: string;

  /**
   * @param name by which threads that have several tell them apart
   * @throws IdentityError
   */
  constructor(name: string, files: IdentityFiles, log: IdentityLog) {
    this.#name = name;
    this.#files = files;
    this.#log = log;
    this.#seen = this.#look();
    this.#read = this.#seen;
    this.#first = readIdentity(files);
    this.#current = this.#first;
    this.#timer = setInterval(() => this.#compare(), LOOK_INTERVAL_MS).unref();
    process.on('SIGHUP', this.#onHangUp);
  }

  get current(): TlsIdentity {
    return this.#current;
  }

  /** Tells `listener` of each new identity. */
  onChange(listener: (identity: TlsIdentity) => void): void {
    this.#listeners.add(listener);
  }

  /** Tells a thread that was started with the first identity of each new one; there `followIdentity` hears of it. */
  shareOn(port: MessagePort): void {
    this.#ports.add(port);
    port.on('close', () => this.#ports.delete(port));
    if (this.#current !== this.#first) this.#tell(port);
  }

  /** Reads the files now. Where they are unsound the present identity stays. */
  read(): void {
    this.#read = this.#seen = this.#look();
    const { setting, path } = this.#files.certificate;
    let found: TlsIdentity;
    try {
      found = readIdentity(this.#files);
    } catch (error) {
      this.#log.error('a new certificate is not used, the one before stays', { error: messageOf(error) });
      return;
    }
    const { certificate, key, authorities } = this.#current;
    const isNew = found.certificate !== certificate || found.key !== key || found.authorities !== authorities;
    const validUntil = new Date(validUntilMs(found)).toISOString();
    this.#log.info(isNew ? 'a new certificate is used' : 'the certificate is as before', { setting, path, validUntil });
    if (!isNew) return;
    this.#current = found;
    for (const listener of this.#listeners) listener(found);
    for (const port of this.#ports) this.#tell(port);
  }

  close(): void {
    clearInterval(this.#timer);
    process.off('SIGHUP', this.#onHangUp);
  }

  #compare(): void {
    const found = this.#look();
    const isSettled = found === this.#seen;
    this.#seen = found;
    if (isSettled && found !== this.#read) this.read();
  }

  /** Changes when a file is written, replaced or gone. */
  #look(): string {
    const { certificate, key, authorities } = this.#files;
    const paths = [certificate.path, key.path, ...(authorities === undefined ? [] : [authorities.path])];
    return paths.map((path) => markOf(path)).join();
  }

  #tell(port: MessagePort): void {
    notify<IdentityNotices, string>(port, this.#name, this.#current);
  }
}

/** In a thread: what the identity of that name, shared on the port, changes to. */
export function followIdentity(port: MessagePort, name: string, onChange: (identity: TlsIdentity) => void): void {
  serveCalls<IdentityNotices>(port, {
    [name]: (identity) => {
      onChange(identity);
      return undefined;
    },
  });
}

function markOf(path: string): string {
  const { ino, size, mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return `${ino}-${size}-${mtimeMs}`;
}
