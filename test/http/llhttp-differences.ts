// llhttp-differences.ts: where this project reads a case of llhttp's tests otherwise than llhttp does, and by which rule.
// `ours` says how: refused, or read otherwise. Places are folder/file:line of the case.

/** One case and our reason. */
export interface Difference {
  readonly ours: 'refused' | 'read otherwise';
  readonly rule: string;
}

const refused = (rule: string): Difference => ({ ours: 'refused', rule });
const readOtherwise = (rule: string): Difference => ({ ours: 'read otherwise', rule });

const AFTER_CLOSE = readOtherwise(
  'RFC 9112 9.6: what follows the last message is dropped, by the session and not by the parser',
);
const NO_UPGRADE = refused('RFC 9110 7.8: a server may ignore Upgrade; what follows is then HTTP, and here it is not');
const NO_TUNNEL = refused('RFC 9110 9.3.6: no tunnel here, so what follows CONNECT is HTTP, and here it is not');
const ANY_METHOD = readOtherwise(
  'RFC 9110 9.1: any token is a method to a parser; the router answers 501 to those it does not know',
);
const HTTP_ONLY = refused('RFC 9112 2.3: HTTP and nothing else is spoken here, no RTSP or ICE');
const TARGET = refused(
  'RFC 9112 3.2, RFC 3986 2: these bytes are percent-encoded in a URI, and a target has no fragment',
);
const NO_BLANK_LINES = refused('RFC 9112 2.2: only a server passes over empty lines, and only before a request');
const NO_SWITCH = refused('RFC 9110 15.2.2: nobody here asks to switch protocols');
const UNKNOWN_CODING = refused('RFC 9112 6.3: a body in a coding that we cannot undo is of no use to us');

/** Strict cases. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'request/connection.md:81': AFTER_CLOSE,
  'request/connection.md:292': AFTER_CLOSE,
  'request/connection.md:342': AFTER_CLOSE,
  'response/connection.md:164': AFTER_CLOSE,
  'request/connection.md:542': NO_UPGRADE,
  'request/connection.md:753': NO_UPGRADE,
  'request/connection.md:812': NO_UPGRADE,
  'request/method.md:27': NO_TUNNEL,
  'request/method.md:96': NO_TUNNEL,
  'request/invalid.md:66': ANY_METHOD,
  'request/invalid.md:356': ANY_METHOD,
  'request/method.md:135': refused('RFC 9112 3.2.4: "*" is a target of OPTIONS only'),
  'request/method.md:458': refused('RFC 9112 3.2.4: "*" is a target of OPTIONS only, in the preface of HTTP/2 too'),
  'request/method.md:372': HTTP_ONLY,
  'request/method.md:400': HTTP_ONLY,
  'request/method.md:430': HTTP_ONLY,
  'response/sample.md:40': HTTP_ONLY,
  'response/sample.md:60': HTTP_ONLY,
  'request/sample.md:314': refused('RFC 9112 2.3: a request line names its version; HTTP/0.9 is not spoken here'),
  'response/sample.md:645': refused('RFC 9110 15.6.6: HTTP/0.9 is not spoken here'),
  'request/transfer-encoding.md:751': TARGET,
  'request/transfer-encoding.md:793': TARGET,
  'request/uri.md:4': TARGET,
  'request/uri.md:98': TARGET,
  'request/uri.md:165': TARGET,
  'request/uri.md:222': refused('RFC 9110 4.2.4: user information in an http URI is refused'),
  'request/content-length.md:444': readOtherwise(
    'RFC 9112 6.3: a length is a length; this case has its body skipped by the caller',
  ),
  'response/connection.md:293': NO_SWITCH,
  'response/connection.md:331': NO_SWITCH,
  'response/connection.md:492': NO_BLANK_LINES,
  'response/connection.md:586': NO_BLANK_LINES,
  'response/pipelining.md:4': NO_BLANK_LINES,
  'response/sample.md:695': NO_BLANK_LINES,
  'response/finish.md:6': readOtherwise('RFC 9112 6.3 8: the end of the connection ends the body and so the message'),
  'response/sample.md:291': refused('RFC 9112 4: a space follows the status, also before an empty reason'),
  'response/transfer-encoding.md:43': UNKNOWN_CODING,
  'response/transfer-encoding.md:74': UNKNOWN_CODING,
  'response/transfer-encoding.md:110': UNKNOWN_CODING,
};

/** What llhttp's leniencies allow and this project, which has none, refuses. */
export const LENIENCIES: Readonly<Record<string, string>> = {
  headers: 'RFC 9112 5.1, 5.2 and RFC 9110 5.5: no folding, no space before the colon, no control bytes',
  'header-value-relaxed': 'RFC 9110 5.5: no control bytes in a field value',
  'chunked-length': 'RFC 9112 6.1: Content-Length and Transfer-Encoding exclude each other',
  'keep-alive': 'RFC 9112 9.6: nothing is read after a message that closes the connection',
  'transfer-encoding': 'RFC 9112 6.3: chunked is the final coding',
  version: 'RFC 9110 15.6.6: HTTP/1.0 and HTTP/1.1',
  'data-after-close': 'RFC 9112 9.6: nothing is read after a message that closes the connection',
  'optional-lf-after-cr': 'RFC 9112 2.2: a bare CR ends no line',
  'optional-cr-before-lf': 'RFC 9112 2.2: we need not take a bare LF for the end of a line',
  'optional-crlf-after-chunk': 'RFC 9112 7.1: CR LF follows the data of a chunk',
  'spaces-after-chunk-size': 'RFC 9112 7.1: nothing stands between the size of a chunk and its CR LF',
};
