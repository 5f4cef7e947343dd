// setting-kinds.ts: the kinds of values that settings have: how each is read from text, and what it must be otherwise.

import { resolve } from 'node:path';
import { parseAddress } from './address.js';

/** What a value should have been, for the one line of an error. */
export class Expected {
  constructor(readonly what: string) {}
}

export interface SettingKind<T> {
  readonly env: string;
  /** What the help shows in place of a value. */
  readonly placeholder: string;
  readonly help: string;
  /** A value that may hold a password is never shown. */
  readonly isSecret?: boolean;
  /** The typed value of a text, or what it should have been. */
  parse(text: string): T | Expected;
}

/** One address or more; the first one is there for certain. */
export type AddressList = readonly [first: string, ...others: string[]];

export function host(env: string, help: string): SettingKind<string> {
  const expected = new Expected('an address or a host name, without brackets');
  return { env, placeholder: 'HOST', help, parse: (value) => (/^[^\s[\]/]+$/.test(value) ? value : expected) };
}

export function path(env: string, help: string): SettingKind<string> {
  const parse = (value: string): string | Expected => (value === '' ? new Expected('a path') : resolve(value));
  return { env, placeholder: 'PATH', help, parse };
}

export function wholeNumber(env: string, min: number, max: number, help: string): SettingKind<number> {
  const expected = new Expected(`a whole number from ${min} to ${max}`);
  const parse = (value: string): number | Expected => {
    const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : expected;
  };
  return { env, placeholder: 'N', help, parse };
}

export function oneOf<const T extends string>(env: string, values: readonly T[], help: string): SettingKind<T> {
  const expected = new Expected(`one of ${values.join(', ')}`);
  return { env, placeholder: 'WORD', help, parse: (value) => values.find((one) => one === value) ?? expected };
}

/** `host:port`, or several of them with commas. */
export function addresses(env: string, help: string): SettingKind<AddressList> {
  const expected = new Expected('host:port, such as 127.0.0.1:5001, or several of them with commas');
  const parse = (value: string): AddressList | Expected => {
    const [first = '', ...others] = value.split(',').map((one) => one.trim());
    return [first, ...others].every((one) => parseAddress(one) !== undefined) ? [first, ...others] : expected;
  };
  return { env, placeholder: 'HOST:PORT', help, parse };
}

/**
 * `postgresql://user:password@host:port/database?options`, in which all but the host may be missing and hosts may be
 * several, with commas: the connection URI of PostgreSQL 16, 34.1.1.2.
 */
export function databaseUrl(env: string, help: string): SettingKind<string> {
  const expected = new Expected(
    'postgresql://user:password@host:port/database (several host:port with commas; %XX for special characters)',
  );
  const parse = (value: string): string | Expected => {
    const hosts = /^postgres(?:ql)?:\/\/(?:[^@/?#\s]*@)?([^@/?#\s]+)(?:\/[^/?#\s]*)?(?:\?[^#\s]*)?$/.exec(value)?.[1];
    const areReadable = hosts
      ?.split(',')
      .every((one) => parseAddress(one) !== undefined || parseAddress(`${one}:0`) !== undefined);
    return areReadable === true && !/%(?![0-9a-fA-F]{2})/.test(value) ? value : expected;
  };
  return { env, placeholder: 'URL', help, isSecret: true, parse };
}
