// session-exchange.ts: the Exchange that a session makes. See exchange.ts for what handlers may do with it.
//
// An exchange that was answered before its handler returned is used again for the next request, so that a server whose
// handlers answer at once allocates nothing per request. One that is answered later is never used again: a second
// `send()` on it, by mistake, is an assertion error and not an answer to somebody else's request.
import { assert } from '../../assert.js';
import { fittingRequestId, newRequestId, REQUEST_ID_HEADER } from '../../request-id.js';
import type { HttpError } from '../http-error.js';
import { NO_BYTES, PERCENT } from '../parser/grammar.js';
import type { RequestHead } from '../parser/message-head.js';
import { percentDecode } from '../parser/request-target.js';
import { threadStringMemo } from '../parser/string-memo.js';
import {
  type AnswerWriter,
  bodyText,
  type ConnectionNote,
  errorBody,
  hasBody,
  type ReadyBody,
} from './answer-writer.js';
import type { Exchange } from './exchange.js';
import type { Queued } from './exchange-queue.js';
import { JSON_HEADERS, type PreparedHeaders } from './prepared-headers.js';
import { OutgoingStream, type ResponseStream, type StreamEvents } from './response-stream.js';
import type { Resource } from './router.js';

/** Which requests get a name. */
export type RequestIds = 'none' | 'client' | 'all';

/** What an exchange needs of its session. */
export interface ExchangeOwner {
  readonly writer: AnswerWriter;
  /** Called once, when the exchange has its answer, or the beginning of one. */
  answered(exchange: SessionExchange): void;
  /** Called when there is more of an answer, or its end. @returns whether there is room for more */
  streamed(exchange: SessionExchange): boolean;
}

export class SessionExchange implements Exchange, Queued<SessionExchange> {
  body: Buffer = NO_BYTES;
  requestId = '';
  /** The header line by which the answer repeats the client's name for its request; '' without. */
  requestIdLine = '';
  companion: object | undefined;
  isAborted = false;
  isAnswered = false;
  resource: Resource | undefined;
  /** Start and end of each parameter's segment in the head's bytes. */
  readonly parameterRanges: number[] = [];
  next: SessionExchange | undefined;
  /** Whether the connection goes on after this exchange, as far as is known; the answer says so. */
  isKeepAlive = true;
  isHttp10 = false;
  isHead = false;
  /** When the request was complete, by `performance.now()`; only where somebody measures. */
  startedAtMs = 0;
  // The answer, once there is one
  status = 0;
  private answerBody = '';
  private answerHeaders = JSON_HEADERS;
  /** If it is one that is made while it is sent. */
  outgoing: OutgoingStream | undefined;
  private isBegun = false;

  constructor(
    private readonly owner: ExchangeOwner,
    /** Taken away by the session when the answer has been given. */
    public head: RequestHead | undefined,
  ) {}

  /** Makes the object ready for another request with the same head object. */
  reuse(): void {
    this.body = NO_BYTES;
    this.requestId = '';
    this.requestIdLine = '';
    this.companion = undefined;
    this.isAnswered = false;
    this.resource = undefined;
    this.answerBody = '';
    this.outgoing = undefined;
    this.isBegun = false;
  }

  /** Gives the request the name that its client has given it, or one of ours. @param wanted which requests get one */
  takeName(wanted: RequestIds): void {
    if (wanted === 'none') return;
    const id = fittingRequestId(this.openHead().fields.header(REQUEST_ID_HEADER));
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

  /** The answer to what could not be read; nobody else may answer it. */
  refuse(error: HttpError, requestIdLine: string, isHead: boolean): void {
    this.requestIdLine = requestIdLine;
    this.isHead = isHead;
    this.isKeepAlive = false;
    this.isAnswered = true;
    this.status = error.status;
    this.answerBody = errorBody(error.status, error.message);
  }

  answerText(): string {
    const { owner, status, answerBody, answerHeaders, isHead, requestIdLine, outgoing } = this;
    if (outgoing === undefined) {
      return owner.writer.answer(status, answerBody, answerHeaders, isHead, this.connectionNote(), requestIdLine);
    }
    if (this.isBegun) return outgoing.takeText();
    this.isBegun = true;
    const note = this.connectionNote();
    return owner.writer.streamHead(status, answerHeaders, !this.isHttp10, note, requestIdLine) + outgoing.takeText();
  }

  get isOpen(): boolean {
    return this.outgoing?.isOpen ?? false;
  }

  /** Tells a handler that still waits, or is at its answer, that the peer has gone. */
  abort(): void {
    this.isAborted = true;
    this.outgoing?.abort();
  }

  get method(): string {
    return this.openHead().method;
  }

  get target(): string {
    return this.openHead().target;
  }

  get route(): string {
    return this.resource?.name ?? '';
  }

  header(lowerCaseName: string): string | undefined {
    return this.openHead().fields.header(lowerCaseName);
  }

  parameter(name: string): string {
    const bytes = this.openHead().source;
    const index = this.resource?.parameterNames.indexOf(name) ?? -1;
    assert(index >= 0, `route ${this.route} has no parameter ${name}`);
    const start = this.parameterRanges[index * 2]!;
    const end = this.parameterRanges[index * 2 + 1]!;
    for (let at = start; at < end; at++) {
      if (bytes[at] !== PERCENT) continue;
      return percentDecode(bytes, start, end).toString(); // a path is UTF-8
    }
    return threadStringMemo.text(bytes, start, end); // a target is ASCII
  }

  send(status: number, body: string | Uint8Array, headers: PreparedHeaders = JSON_HEADERS): void {
    this.sendReady(status, bodyText(body), headers);
  }

  sendReady(status: number, body: ReadyBody, headers: PreparedHeaders = JSON_HEADERS): void {
    assert(!this.isAnswered, 'a request is answered once');
    this.isAnswered = true;
    this.status = status;
    this.answerBody = body;
    this.answerHeaders = headers;
    this.owner.answered(this);
  }

  stream(status: number, headers: PreparedHeaders, events: StreamEvents = {}): ResponseStream {
    assert(!this.isAnswered, 'a request is answered once');
    assert(hasBody(status), `a status that has no body cannot be streamed: ${status}`);
    this.isAnswered = true;
    this.status = status;
    this.answerHeaders = headers;
    // HTTP/1.0 has no chunks: the connection ends with the answer.
    if (this.isHttp10) this.isKeepAlive = false;
    this.outgoing = new OutgoingStream(
      { streamed: () => this.owner.streamed(this) },
      events,
      !this.isHttp10,
      !this.isHead,
    );
    this.owner.answered(this);
    const { outgoing } = this;
    if (this.isAborted) queueMicrotask(() => outgoing.abort());
    return outgoing;
  }

  sendError(status: number, message: string, headers?: PreparedHeaders): void {
    this.send(status, errorBody(status, message), headers);
  }

  private connectionNote(): ConnectionNote {
    if (!this.isKeepAlive) return 'close';
    return this.isHttp10 ? 'keep-alive' : '';
  }

  private openHead(): RequestHead {
    assert(this.head !== undefined && !this.isAnswered, 'the exchange is over: it has been answered');
    return this.head;
  }
}
