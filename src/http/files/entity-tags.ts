// entity-tags.ts: the validators of what is served, and what conditions say of them (RFC 9110 8.8.3, 13.1.1, 13.1.2).
import { createHash } from 'node:crypto';

/** Bytes of the hash: nobody will see two contents with one tag. */
const HASH_BYTES = 15;
const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** A strong tag: equal only for equal bytes, so another one for each coding of a file. */
export function entityTag(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest().subarray(0, HASH_BYTES).toString('base64url')}"`;
}

/** Whether a list of If-None-Match names the tag, weak or strong, or is "*": whoever asks has it already. */
export function namesTag(ifNoneMatch: string, tag: string): boolean {
  if (ifNoneMatch.trim() === '*') return true;
  for (const [, , named] of ifNoneMatch.matchAll(TAG)) if (named === tag) return true;
  return false;
}

/** Whether a list of If-Match names the tag, strong, or is "*". */
export function namesStrongTag(ifMatch: string, tag: string): boolean {
  if (ifMatch.trim() === '*') return true;
  for (const [, weak, named] of ifMatch.matchAll(TAG)) if (weak === undefined && named === tag) return true;
  return false;
}
