// request-target.ts: the four forms of a request target, and what becomes of its path.
//
//   origin-form     /products/Tux?x=1          what nearly every request has
//   absolute-form   http://host:5000/products  as sent to a proxy; a server must take it too
//   authority-form  host:443                   CONNECT and nothing else
//   asterisk-form   *                          OPTIONS and nothing else
//
// A path is split at "/" first and each segment is percent-decoded afterwards, once: "%2F" in a name is part of the
// name, and "%2541" is the text "%41". Source: RFC 9112 3.2, RFC 3986 2.1 and 3.3.
import { equalsIgnoringCase, isHost } from './field-value.js';
import { ASTERISK, HEX_VALUE, PERCENT, QUESTION, SLASH } from './grammar.js';

/** Where the path of a target lies: its first byte and the one after it. */
export interface PathRange {
  readonly start: number;
  readonly end: number;
  /** What stands in front of "://" in absolute-form; '' in every other. */
  readonly scheme: TargetScheme;
}

export type TargetScheme = '' | 'http' | 'https';

const SCHEMES = ['http', 'https'] as const;

/**
 * The path of a target that does not begin with "/"; an empty range for "*" and authority-form.
 * @returns undefined for a target that has none of the forms its method allows
 */
export function pathOfRareTarget(bytes: Buffer, start: number, end: number, method: string): PathRange | undefined {
  if (method === 'CONNECT') return isHost(bytes, start, end, true) ? { start: end, end, scheme: '' } : undefined;
  if (end - start === 1 && bytes[start] === ASTERISK) {
    return method === 'OPTIONS' ? { start: end, end, scheme: '' } : undefined;
  }
  const scheme = SCHEMES.find((name) => {
    const prefix = `${name}://`;
    return equalsIgnoringCase(bytes, start, start + prefix.length, prefix);
  });
  const hostStart = start + `${scheme}://`.length;
  if (scheme === undefined || hostStart > end) return undefined;
  let hostEnd = hostStart;
  while (hostEnd < end && bytes[hostEnd] !== SLASH && bytes[hostEnd] !== QUESTION) hostEnd++;
  // User information before the host has no place in http (RFC 9110 4.2.4); "@" is no host character, so it is refused.
  if (!isHost(bytes, hostStart, hostEnd)) return undefined;
  let pathEnd = hostEnd;
  while (pathEnd < end && bytes[pathEnd] !== QUESTION) pathEnd++;
  // Without a path it is "/" (RFC 9110 4.2.3): the slash in front of the host will do.
  return pathEnd === hostEnd
    ? { start: hostStart - 1, end: hostStart, scheme }
    : { start: hostEnd, end: pathEnd, scheme };
}

/** Whether OPTIONS with this target asks about the server as a whole (RFC 9112 3.2.4). */
export function isWholeServer(target: string): boolean {
  return target === '*' || /^https?:\/\/[^/?]+$/i.test(target);
}

/** Undoes percent-encoding once, where each "%" is known to begin an escape. @returns a copy */
export function percentDecode(bytes: Buffer, start: number, end: number): Buffer {
  const decoded = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (let index = start; index < end; index++) {
    let byte = bytes[index]!;
    if (byte === PERCENT) {
      byte = HEX_VALUE[bytes[index + 1]!]! * 16 + HEX_VALUE[bytes[index + 2]!]!;
      index += 2;
    }
    decoded[length++] = byte;
  }
  return decoded.subarray(0, length);
}
