// http-error.ts: everything that can be wrong with a message or a connection, as a closed list of codes.
//
// Callers branch on the code, never on the text. The status is what a server answers; a client, which answers nothing,
// uses the code alone. The table also names the rule that is broken, since a refusal that cannot be defended by one
// should not be made.

interface Fault {
  /** What a server answers. */
  readonly status: number;
  /** For people, one short clause; ends up in the `message` of the JSON error. */
  readonly message: string;
}

const FAULTS = {
  // The start line
  BLANK_LINES: { status: 400, message: 'too many empty lines before the request' }, // RFC 9112 2.2
  METHOD: { status: 400, message: 'malformed method' }, // RFC 9112 3.1
  METHOD_TOO_LONG: { status: 501, message: 'method not implemented' }, // RFC 9112 3
  TARGET: { status: 400, message: 'malformed request target' }, // RFC 9112 3.2
  TARGET_ESCAPE: { status: 400, message: 'malformed percent-escape in the request target' }, // RFC 3986 2.1
  PATH_NOT_UTF8: { status: 400, message: 'path is not UTF-8' }, // RFC 3986 2.5
  TARGET_TOO_LONG: { status: 414, message: 'request target too long' }, // RFC 9112 3
  VERSION: { status: 400, message: 'malformed HTTP version' }, // RFC 9112 2.3
  VERSION_UNSUPPORTED: { status: 505, message: 'HTTP version not supported' }, // RFC 9110 15.6.6
  STATUS_LINE: { status: 502, message: 'malformed status line' }, // RFC 9112 4
  LINE_ENDING: { status: 400, message: 'line does not end in CR LF' }, // RFC 9112 2.2
  // Fields
  FIELD_NAME: { status: 400, message: 'malformed header name' }, // RFC 9112 5.1
  FIELD_FOLDED: { status: 400, message: 'header line begins with white space' }, // RFC 9112 5.2
  FIELD_VALUE: { status: 400, message: 'control character in a header' }, // RFC 9110 5.5
  FIELDS_TOO_LARGE: { status: 431, message: 'headers too large' }, // RFC 6585 5
  FIELDS_TOO_MANY: { status: 431, message: 'too many headers' }, // RFC 6585 5
  HOST_MISSING: { status: 400, message: 'no Host header' }, // RFC 9112 3.2
  HOST_REPEATED: { status: 400, message: 'more than one Host header' }, // RFC 9112 3.2
  HOST: { status: 400, message: 'malformed Host header' }, // RFC 9112 3.2
  MISDIRECTED: { status: 421, message: 'the scheme of the target is not that of the connection' }, // RFC 9110 7.4
  EXPECTATION: { status: 417, message: 'expectation not supported' }, // RFC 9110 10.1.1
  // Framing
  CONTENT_LENGTH: { status: 400, message: 'malformed Content-Length' }, // RFC 9112 6.3
  CONTENT_LENGTH_REPEATED: { status: 400, message: 'more than one Content-Length' }, // RFC 9112 6.3
  CONTENT_LENGTH_HUGE: { status: 413, message: 'request body too large' }, // RFC 9110 8.6
  TRANSFER_ENCODING: { status: 400, message: 'transfer coding does not end in a single chunked' }, // RFC 9112 6.1, 6.3
  TRANSFER_ENCODING_UNKNOWN: { status: 501, message: 'transfer coding not implemented' }, // RFC 9112 6.1
  TRANSFER_ENCODING_HTTP_1_0: { status: 400, message: 'Transfer-Encoding in an HTTP/1.0 message' }, // RFC 9112 6.1
  FRAMING_CONFLICT: { status: 400, message: 'both Content-Length and Transfer-Encoding' }, // RFC 9112 6.1
  CHUNK_SIZE: { status: 400, message: 'malformed chunk size' }, // RFC 9112 7.1
  CHUNK_EXTENSION: { status: 400, message: 'malformed chunk extension' }, // RFC 9112 7.1.1
  CHUNK_EXTENSIONS_TOO_LARGE: { status: 413, message: 'chunk extensions too large' }, // RFC 9112 7.1.1
  CHUNK_END: { status: 400, message: 'chunk does not end where its size says' }, // RFC 9112 7.1
  TRAILERS_TOO_LARGE: { status: 431, message: 'trailers too large' }, // RFC 6585 5
  TRAILERS_TOO_MANY: { status: 431, message: 'too many trailers' }, // RFC 6585 5
  BODY_TOO_LARGE: { status: 413, message: 'request body too large' }, // RFC 9110 15.5.14
  // The connection
  CUT_SHORT: { status: 400, message: 'message ends before it is complete' }, // RFC 9112 8
  HEAD_TIMEOUT: { status: 408, message: 'request head took too long' }, // RFC 9110 15.5.9
  BODY_TIMEOUT: { status: 408, message: 'request body took too long' }, // RFC 9110 15.5.9
  // A client's side of it
  RESPONSE_UNASKED: { status: 502, message: 'response that nobody asked for' }, // RFC 9112 9.2
  PROTOCOL_SWITCH: { status: 502, message: 'switch of protocols that nobody asked for' }, // RFC 9110 15.2.2
  CONNECT_FAILED: { status: 502, message: 'cannot connect' },
  CONNECTION_LOST: { status: 502, message: 'connection closed before the response was complete' },
  RESPONSE_TIMEOUT: { status: 504, message: 'no response in time' },
} as const satisfies Record<string, Fault>;

/** The closed list of what can be wrong. */
export type HttpErrorCode = keyof typeof FAULTS;

/** Every code, for tests and for metrics that want to start at zero. */
export const HTTP_ERROR_CODES = Object.keys(FAULTS) as readonly HttpErrorCode[];

/** What an error may say besides its code. */
export interface HttpErrorOptions extends ErrorOptions {
  /** What exactly is wrong, and where; ends up behind the code's message. */
  readonly detail?: string | undefined;
}

/** A message or connection that is refused or lost; `status` is what a server says about it. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;

  constructor(
    readonly code: HttpErrorCode,
    options: HttpErrorOptions = {},
  ) {
    const { message, status } = FAULTS[code];
    super(options.detail === undefined ? message : `${message}: ${options.detail}`, options);
    this.status = status;
  }
}
