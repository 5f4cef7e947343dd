// session-exchange.ts: the Exchange that a session makes. See exchange.ts for what handlers may do with it.
//
// Exchanges of one connection form a list in request order; an answer that comes before its turn waits in `answerText`.
// An exchange that was answered before its handler returned is used again for the next request, so that a server whose
// handlers answer at once allocates nothing per request. One that is answered later is never used again: a second
// `send()` on it, by mistake, is an assertion error and not an answer to somebody else's request.
import { assert } from '../../assert.js';
import { fittingRequestId, newRequestId, REQUEST_ID_HEADER } from '../../request-id.js';
import { PERCENT } from '../parser/grammar.js';
import type { RequestHead } from '../parser/message-head.js';
import { percentDecode, utf8Text } from '../parser/request-target.js';
import { threadStringMemo } from '../parser/string-memo.js';
import { bodyText, type ConnectionNote, errorBody } from './answer-writer.js';
import type { Exchange } from './exchange.js';
import { JSON_HEADERS, type PreparedHeaders } from './prepared-headers.js';
import type { Resource } from './router.js';
import type { SessionHost } from './session-host.js';

export const NO_BODY_BYTES = Buffer.alloc(0);

/** What an exchange needs of its session. */
export interface ExchangeOwner {
  answer(exchange: SessionExchange, status: number, body: string, headers: PreparedHeaders): void;
}

export class SessionExchange implements Exchange {
  body: Buffer = NO_BODY_BYTES;
  requestId = '';
  /** The header line by which the answer repeats the client's name for its request; '' without. */
  requestIdLine = '';
  isAborted = false;
  isAnswered = false;
  resource: Resource | undefined;
  /** Start and end of each parameter's segment in the head's bytes. */
  readonly parameterRanges: number[] = [];
  /** The next request of this connection. */
  next: SessionExchange | undefined;
  /** An answer that waits for those before it. */
  answerText: string | undefined;
  /** What the answer says about the connection is decided with this: false if it ends with this exchange. */
  isKeepAlive = true;
  isHttp10 = false;
  isHead = false;
  /** When the request was complete, by `performance.now()`; only where somebody measures. */
  startedAtMs = 0;

  constructor(
    private readonly owner: ExchangeOwner,
    /** Taken away by the session when the answer has been given. */
    public head: RequestHead | undefined,
  ) {}

  /** Makes the object ready for another request with the same head object. */
  reuse(): void {
    this.body = NO_BODY_BYTES;
    this.requestId = '';
    this.requestIdLine = '';
    this.isAnswered = false;
    this.resource = undefined;
    this.answerText = undefined;
  }

  /** Gives the request the name that its client has given it, or one of ours. @param wanted which requests get one */
  takeName(wanted: SessionHost['requestIds']): void {
    if (wanted === 'none') return;
    const id = fittingRequestId(this.openHead().header(REQUEST_ID_HEADER));
    if (id !== '') this.requestIdLine = `X-Request-Id: ${id}\r\n`;
    this.requestId = id === '' && wanted === 'all' ? newRequestId() : id;
  }

  /** Makes what a handler may still ask for outlive the bytes that it came in. */
  keep(): void {
    const moved = this.openHead().keep();
    if (moved === 0) return;
    const { parameterRanges } = this;
    for (let index = 0; index < parameterRanges.length; index++) parameterRanges[index]! -= moved;
  }

  /**
   * Runs the handler of the request's resource, and answers for it if it fails.
   * @returns whether the handler is done with the exchange; one that returned a promise may still fail later
   */
  run(host: SessionHost): boolean {
    try {
      const done = host.router.handle(this, this.resource);
      // A handler written as `exchange => start(...)` returns whatever that returns; only a promise can fail later.
      if (!(done instanceof Promise)) return true;
      done.catch((error: unknown) => this.failed(host, error));
      return false;
    } catch (error) {
      this.failed(host, error);
      return true;
    }
  }

  /** The head is not needed any longer, and another exchange may have it. */
  releaseHead(host: SessionHost): void {
    if (this.head === undefined) return;
    host.returnHead(this.head);
    this.head = undefined;
  }

  /** What the answer must say about the connection. */
  get connectionNote(): ConnectionNote {
    if (!this.isKeepAlive) return 'close';
    return this.isHttp10 ? 'keep-alive' : '';
  }

  get method(): string {
    return this.openHead().method;
  }

  get target(): string {
    return this.openHead().target;
  }

  get route(): string {
    return this.resource?.pattern ?? '';
  }

  header(lowerCaseName: string): string | undefined {
    return this.openHead().header(lowerCaseName);
  }

  parameter(name: string): string | undefined {
    const bytes = this.openHead().source;
    const index = this.resource?.parameterNames.indexOf(name) ?? -1;
    assert(index >= 0, `route ${this.route} has no parameter ${name}`);
    const start = this.parameterRanges[index * 2]!;
    const end = this.parameterRanges[index * 2 + 1]!;
    for (let at = start; at < end; at++) {
      if (bytes[at] !== PERCENT) continue;
      const decoded = percentDecode(bytes, start, end);
      return decoded === undefined ? undefined : utf8Text(decoded);
    }
    return threadStringMemo.text(bytes, start, end); // a target is ASCII
  }

  send(status: number, body: string | Uint8Array, headers: PreparedHeaders = JSON_HEADERS): void {
    assert(!this.isAnswered, 'a request is answered once');
    this.isAnswered = true;
    this.owner.answer(this, status, bodyText(body), headers);
  }

  sendError(status: number, message: string, headers?: PreparedHeaders): void {
    this.send(status, errorBody(status, message), headers);
  }

  private failed(host: SessionHost, error: unknown): void {
    host.handlerFailed(error, this.route, this.requestId);
    if (!this.isAnswered) this.sendError(500, 'internal error');
  }

  private openHead(): RequestHead {
    assert(this.head !== undefined && !this.isAnswered, 'the exchange is over: it has been answered');
    return this.head;
  }
}
