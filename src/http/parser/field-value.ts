// field-value.ts: the few things a parser must know about the inside of a field value, on bytes.
//
//   field-line = field-name ":" OWS field-value OWS          list = element *( OWS "," OWS element )
//
// Everything works on a range of a buffer and makes no string. Source: RFC 9110 5.5 and 5.6.
import { isIPv6 } from 'node:net';
import { COLON, DIGIT_0, DIGIT_9, HOST_NAME, HTAB, isEscape, SEMICOLON, SP, TOKEN } from './grammar.js';

const COMMA = 0x2c;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;

/** Lower case of each byte: field names and most tokens compare without regard to case (RFC 9110 5.1). */
const LOWER_CASE = lowerCase();

function lowerCase(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) table[byte] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
  return table;
}

/** Whether the range reads `lowerCaseText` in any mix of cases. */
export function equalsIgnoringCase(bytes: Buffer, start: number, end: number, lowerCaseText: string): boolean {
  if (end - start !== lowerCaseText.length) return false;
  for (let index = start; index < end; index++) {
    if (LOWER_CASE[bytes[index]!] !== lowerCaseText.charCodeAt(index - start)) return false;
  }
  return true;
}

/**
 * Calls `visit(bytes, elementStart, elementEnd)` for each element of a comma-separated list, without the white space around
 * it, empty elements included; stops when `visit` returns false. @returns false when it was stopped.
 */
export function everyElement(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (bytes: Buffer, elementStart: number, elementEnd: number) => boolean,
): boolean {
  let elementStart = start;
  for (let index = start; index <= end; index++) {
    if (index < end && bytes[index] !== COMMA) continue;
    let first = elementStart;
    let last = index;
    while (first < last && isBlank(bytes[first]!)) first++;
    while (last > first && isBlank(bytes[last - 1]!)) last--;
    if (!visit(bytes, first, last)) return false;
    elementStart = index + 1;
  }
  return true;
}

/** Whether a comma-separated list holds `lowerCaseText`, in any mix of cases. */
export function listContains(bytes: Buffer, start: number, end: number, lowerCaseText: string): boolean {
  return !everyElement(
    bytes,
    start,
    end,
    (_bytes, first, last) => !equalsIgnoringCase(bytes, first, last, lowerCaseText),
  );
}

/** Whether the range begins with a token that ends there or at ";": the shape of a transfer coding. */
export function isCoding(bytes: Buffer, start: number, end: number): boolean {
  let index = start;
  while (index < end && TOKEN[bytes[index]!] !== 0) index++;
  return index > start && (index === end || bytes[index] === SEMICOLON || isBlank(bytes[index]!));
}

/** No more digits than this are read as a length: all of them fit a JavaScript integer exactly. */
const LENGTH_DIGITS_MAX = 15;
/** `readDigits()`: something other than 1*DIGIT. */
export const NOT_A_NUMBER = -1;
/** `readDigits()`: more digits than a length can have. */
export const TOO_MANY_DIGITS = -2;

/** `1*DIGIT` as a number: no sign, no white space, no list; else `NOT_A_NUMBER` or `TOO_MANY_DIGITS`. */
export function readDigits(bytes: Buffer, start: number, end: number): number {
  if (start === end) return NOT_A_NUMBER;
  let value = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte < DIGIT_0 || byte > DIGIT_9) return NOT_A_NUMBER;
    value = value * 10 + (byte - DIGIT_0);
  }
  return end - start > LENGTH_DIGITS_MAX ? TOO_MANY_DIGITS : value;
}

/** The highest port there is. */
const PORT_MAX = 65535;

/** "IPvFuture" of RFC 3986 3.2.2, without the comma as in HOST_NAME. */
const FUTURE_ADDRESS = /^v[\da-f]+\.[\w\-.~!$&'()*+;=:]+$/i;

/**
 * Whether the range is `uri-host [ ":" port ]` (RFC 9110 7.2, RFC 3986 3.2.2) with a host that is not empty, which
 * http does not allow (RFC 9110 4.2.1). No user information, no comma, no white space, no zone of an IPv6 address.
 * @param portNeeded authority-form, the target of CONNECT, always names a port
 */
export function isHost(bytes: Buffer, start: number, end: number, portNeeded = false): boolean {
  const index = bytes[start] === BRACKET_OPEN ? literalEnd(bytes, start, end) : nameEnd(bytes, start, end);
  if (index === start) return false;
  if (index === end) return !portNeeded;
  if (bytes[index] !== COLON) return false;
  if (index + 1 === end) return !portNeeded;
  const port = readDigits(bytes, index + 1, end);
  return port >= 0 && port <= PORT_MAX;
}

/** The byte after the `reg-name` or IPv4 address at `start`; `start` where there is none. */
function nameEnd(bytes: Buffer, start: number, end: number): number {
  let index = start;
  while (index < end) {
    if (HOST_NAME[bytes[index]!] !== 0) index++;
    else if (isEscape(bytes, index, end)) index += 3;
    else break;
  }
  return index;
}

/** The byte after the address in brackets at `start`; `start` where there is none. */
function literalEnd(bytes: Buffer, start: number, end: number): number {
  const close = bytes.indexOf(BRACKET_CLOSE, start);
  if (close < 0 || close >= end) return start;
  const address = bytes.toString('latin1', start + 1, close);
  const isAddress = FUTURE_ADDRESS.test(address) || (isIPv6(address) && !address.includes('%'));
  return isAddress ? close + 1 : start;
}

/** OWS is made of these two (RFC 9110 5.6.3). */
function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
