// answer-writer.ts: answers as text in which each character is one byte (Latin-1), ready for the socket.
//
//   HTTP/1.1 200 OK␍␊Date: …␍␊Content-Type: application/json␍␊Content-Length: 52␍␊␍␊{"data":…}
//   └──────── head: made once a second per status, headers and length ───────────────────┘└─ body ─┘
//
// Text and not buffers: joining short strings and handing the socket one Latin-1 string cost less than filling a buffer
// from JavaScript, and Node writes such a string to the kernel without making a Buffer of it.
// Source: RFC 9112 4 and 6, RFC 9110 6.6.1 (Date), 8.6 (Content-Length).

import { JSON_HEADERS, type PreparedHeaders } from './prepared-headers.js';
import { STATUS_CODES } from './status-codes.js';

/** What an answer says about its connection; nothing is what HTTP/1.1 takes for "stays open". */
export type ConnectionNote = '' | 'close' | 'keep-alive';

/** Whole heads are kept for bodies shorter than this. */
const KEPT_HEADS = 1024;

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/** What all answers with one status and one set of headers begin with, for the second that it is. */
interface Prefix {
  /** Up to and including "Content-Length: ". */
  readonly text: string;
  /** Complete heads by the length of their body, made when first needed. */
  readonly heads: string[];
}

const NO_PREFIX: Prefix = { text: '', heads: [] };

/** One per thread and server: it keeps the Date line and the heads made with it. */
export class AnswerWriter {
  private second = 0;
  private dateLine = '';
  private prefixes = new Map<PreparedHeaders, Prefix[]>();
  // The prefix used last: most answers of a busy server have the status and headers of the one before.
  private lastStatus = 0;
  private lastHeaders: PreparedHeaders = JSON_HEADERS;
  private lastPrefix = NO_PREFIX;

  constructor(nowMs: number) {
    this.setTime(nowMs);
  }

  /** Says what time it is, about once a second. @param nowMs milliseconds since the epoch */
  setTime(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.second) return;
    this.second = second;
    this.dateLine = `Date: ${new Date(nowMs).toUTCString()}\r\n`;
    this.prefixes.clear();
    this.lastStatus = 0;
  }

  /**
   * A whole answer.
   * @param body as from `bodyText()`
   * @param isHead the request was HEAD: everything but the body (RFC 9110 9.3.2)
   * @param ownLine a header line, with its CR LF, that no other answer has; mostly ''
   */
  answer(
    status: number,
    body: string,
    headers: PreparedHeaders,
    isHead: boolean,
    note: ConnectionNote,
    ownLine = '',
  ): string {
    const isSame = status === this.lastStatus && headers === this.lastHeaders;
    const prefix = isSame ? this.lastPrefix : this.prefix(status, headers);
    if (note === '' && ownLine === '' && !isHead && body.length < KEPT_HEADS && hasBody(status)) {
      return (prefix.heads[body.length] ?? keepHead(prefix, body.length)) + body;
    }
    const lines = note === '' ? ownLine : `${ownLine}Connection: ${note}\r\n`;
    if (!hasBody(status)) return `${prefix.text}${lines}\r\n`;
    return `${prefix.text}${body.length}\r\n${lines}\r\n${isHead ? '' : body}`;
  }

  /** What stands before a body of which nobody knows the length. */
  streamHead(
    status: number,
    headers: PreparedHeaders,
    isChunked: boolean,
    note: ConnectionNote,
    ownLine: string,
  ): string {
    const framing = isChunked ? 'Transfer-Encoding: chunked\r\n' : '';
    const connection = note === '' ? '' : `Connection: ${note}\r\n`;
    return `${this.statusLines(status)}${headers.lines}${framing}${ownLine}${connection}\r\n`;
  }

  private statusLines(status: number): string {
    return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${this.dateLine}`;
  }

  private prefix(status: number, headers: PreparedHeaders): Prefix {
    let byStatus = this.prefixes.get(headers);
    if (byStatus === undefined) {
      byStatus = [];
      this.prefixes.set(headers, byStatus);
    }
    const lines = hasBody(status) ? `${headers.lines}Content-Length: ` : headers.linesWithoutBody;
    byStatus[status] ??= {
      text: `${this.statusLines(status)}${lines}`,
      heads: [],
    };
    this.lastStatus = status;
    this.lastHeaders = headers;
    this.lastPrefix = byStatus[status];
    return this.lastPrefix;
  }
}

function keepHead(prefix: Prefix, length: number): string {
  const head = `${prefix.text}${length}\r\n\r\n`;
  prefix.heads[length] = head;
  return head;
}

/** A body as an answer needs it: one character per byte. */
export type ReadyBody = string & { readonly isReady?: never };

/** A body as text of one character per byte: ASCII stays as it is, other text becomes UTF-8, bytes are taken as they are. */
export function bodyText(body: string | Uint8Array): ReadyBody {
  if (typeof body !== 'string') return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  // As many bytes as characters: nothing outside ASCII.
  return Buffer.byteLength(body) === body.length ? body : Buffer.from(body).toString('latin1');
}

/** A body that is sent many times: in one piece, which text that was joined together is not. */
export function readyBody(body: string): ReadyBody {
  return Buffer.from(body).toString('latin1');
}

/** The contract's form of an error. */
export function errorBody(status: number, message: string): string {
  return `{"error":{"code":${status},"message":${JSON.stringify(message)}}}`;
}

/** No content and no length at all with these (RFC 9110 8.6, 15.3.5, 15.4.5). */
export function hasBody(status: number): boolean {
  return status !== NO_CONTENT && status !== NOT_MODIFIED;
}
