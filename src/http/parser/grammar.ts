// grammar.ts: which byte may stand where in an HTTP/1.1 message, one 256-entry table per rule.
//
// A parser loop asks `TABLE[byte] !== 0` and nothing else, so that the rule is decided here, once, when the file loads.
// Each table stands under the rule it is made from. We accept what the RFCs' ABNF accepts and refuse the rest, since two
// servers that repair a broken message differently are how requests get smuggled.
//
// Sources: RFC 9110 (HTTP semantics), RFC 9112 (HTTP/1.1), RFC 3986 (URI), RFC 5234 (ABNF core rules).

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const DOUBLE_QUOTE = 0x22;
export const PERCENT = 0x25;
export const ASTERISK = 0x2a;
export const SLASH = 0x2f;
export const DIGIT_0 = 0x30;
export const DIGIT_9 = 0x39;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const QUESTION = 0x3f;
export const BACKSLASH = 0x5c;

/** In place of bytes that are not there yet. */
export const NO_BYTES = Buffer.alloc(0);

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** A table with 1 at each character of `characters`. */
function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (let index = 0; index < characters.length; index++) table[characters.charCodeAt(index)] = 1;
  return table;
}

/** A copy of `table` with 1 from `first` to `last` as well, both included. */
function withRange(table: Uint8Array, first: number, last: number): Uint8Array {
  return table.slice().fill(1, first, last + 1);
}

/** `tchar = "!" / "#" / "$" / … / DIGIT / ALPHA` (RFC 9110 5.6.2): methods, field names, extension names. */
export const TOKEN = tableOf(`!#$%&'*+-.^_\`|~${DIGITS}${LETTERS}`);

/** `field-vchar = VCHAR / obs-text`, plus SP and HTAB between them (RFC 9110 5.5): field values, reason phrases. */
export const FIELD_TEXT = withRange(withRange(tableOf('\t'), 0x20, 0x7e), 0x80, 0xff);

// RFC 3986 2.2 and 2.3
const UNRESERVED = `${LETTERS}${DIGITS}-._~`;
const SUB_DELIMITERS = "!$&'()*+,;=";

/**
 * What a request target is made of: `pchar`, "/", "?" and the brackets of an IPv6 address (RFC 3986 3.2.2, 3.3, 3.4).
 * No "#" (a target has no fragment, RFC 9112 3.2), no quotes, no backslash, no byte from 0x80 on: those are sent
 * percent-encoded, and a server that repairs them silently reads another name than the proxy before it did.
 */
export const TARGET = tableOf(`${UNRESERVED}${SUB_DELIMITERS}:@%/?[]`);

/**
 * `reg-name` of a host (RFC 3986 3.2.2) but for its percent-escapes, and without the comma, which the rule allows but
 * which in a Host field is what two Host fields look like after something on the way has joined them.
 */
export const HOST_NAME = tableOf(`${UNRESERVED}${SUB_DELIMITERS.replace(',', '')}`);

/** `qdtext` and the second byte of a `quoted-pair` (RFC 9110 5.6.4). */
export const QUOTED_TEXT = FIELD_TEXT.slice()
  .fill(0, DOUBLE_QUOTE, DOUBLE_QUOTE + 1)
  .fill(0, BACKSLASH, BACKSLASH + 1);

/** The value of a hexadecimal digit, or `NOT_HEX`. */
export const HEX_VALUE = hexValues();
export const NOT_HEX = 0xff;

/** Whether `bytes` has "%" and two hexadecimal digits at `index`, all before `end` (RFC 3986 2.1). */
export function isEscape(bytes: Buffer, index: number, end: number): boolean {
  if (bytes[index] !== PERCENT || index + 2 >= end) return false;
  return HEX_VALUE[bytes[index + 1]!] !== NOT_HEX && HEX_VALUE[bytes[index + 2]!] !== NOT_HEX;
}

/** Whether all characters of a text, one byte each, are of those in the table. */
export function isMadeOf(text: string, table: Uint8Array): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0xff || table[code] === 0) return false;
  }
  return true;
}

/** How many bytes from `start` on, before `end`, are as in `shape`, where "0" stands for any digit. */
export function matchingBytes(bytes: Buffer, start: number, end: number, shape: Buffer): number {
  let count = 0;
  for (; count < shape.length && start + count < end; count++) {
    const byte = bytes[start + count]!;
    if (shape[count] === DIGIT_0 ? byte < DIGIT_0 || byte > DIGIT_9 : byte !== shape[count]) break;
  }
  return count;
}

/** A byte for people: `'"' (0x22)`, or `0x07` for one that has no shape. */
export function describeByte(byte: number): string {
  const code = `0x${byte.toString(16).padStart(2, '0')}`;
  return byte >= 0x20 && byte <= 0x7e ? `'${String.fromCharCode(byte)}' (${code})` : code;
}

function hexValues(): Uint8Array {
  const table = new Uint8Array(256).fill(0xff);
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}
