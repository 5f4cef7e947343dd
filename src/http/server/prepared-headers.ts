// prepared-headers.ts: header lines that a handler adds to its answers, checked and put together once.
//
// Whoever answers thousands of times a second makes them when the program starts and passes the same object each time.
// What the connection itself decides (length, framing, Connection, Date) cannot be set here.
import { assert } from '../../assert.js';
import { FIELD_TEXT, isMadeOf, TOKEN } from '../parser/grammar.js';

const OWNED_BY_THE_CONNECTION = new Set(['connection', 'content-length', 'date', 'transfer-encoding']);

/** Ready header lines; made by `prepareHeaders()` only. */
export class PreparedHeaders {
  /**
   * @param lines each with its CR LF
   * @param linesWithoutBody the same for an answer that has no body, and so no type of one
   */
  constructor(
    readonly lines: string,
    readonly linesWithoutBody: string,
  ) {}
}

/**
 * Checks and joins headers, Latin-1 text. Without a Content-Type of its own the answer is `application/json`.
 * @throws AssertionError for a malformed name or value, or a header that the connection sets itself
 */
export function prepareHeaders(headers: Readonly<Record<string, string>>): PreparedHeaders {
  let lines = '';
  let hasContentType = false;
  for (const [name, value] of Object.entries(headers)) {
    const lowerCaseName = name.toLowerCase();
    assert(name !== '' && isMadeOf(name, TOKEN), `malformed header name ${JSON.stringify(name)}`);
    assert(isMadeOf(value, FIELD_TEXT), `malformed value of header ${name}`);
    assert(!OWNED_BY_THE_CONNECTION.has(lowerCaseName), `header ${name} is set by the connection`);
    hasContentType ||= lowerCaseName === 'content-type';
    lines += `${name}: ${value}\r\n`;
  }
  return new PreparedHeaders(hasContentType ? lines : `Content-Type: application/json\r\n${lines}`, lines);
}

/** What an answer gets when its handler names no headers. */
export const JSON_HEADERS = prepareHeaders({});
