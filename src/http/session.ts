// session.ts: one connection from its first byte to its last. Sockets and time happen here, bytes in the parser.
//
//   socket ─data→ RequestParser ─→ exchange ─→ handler        exchanges wait in request order; answers that are due are
//      ↑                                          │           joined and written once per turn of the event loop
//      └──── one write ←── out ←── in order ←─────┘
//
//   OPEN ──────→ CLOSING ─────────→ LINGERING ────→ closed
//        last request   all answers         peer closed too, or time is up; what it still sends is thrown away,
//        or refusal     are written         so that no reset swallows our last answer (RFC 9112 9.6)
//
// Nothing is read while too many requests wait for answers or too many answers wait to be taken. A session has no timer:
// the server calls `tick()` on all its sessions a few times a second.
import type { Socket } from 'node:net';
import { fittingRequestId, newRequestId, REQUEST_ID_HEADER } from '../request-id.js';
import { type ConnectionNote, errorBody } from './answer-writer.js';
import { BodyCollector } from './body-collector.js';
import { HttpError } from './http-error.js';
import { NOTHING, PeerPatience, REQUEST, REST_OF_BODY, REST_OF_HEAD } from './peer-patience.js';
import { JSON_HEADERS, type PreparedHeaders } from './prepared-headers.js';
import { RequestParser } from './request-parser.js';
import { SessionExchange } from './session-exchange.js';
import type { SessionHost } from './session-host.js';

const OPEN = 0;
const CLOSING = 1;
const LINGERING = 2;
const CLOSED = 3;

/** Answers joined up to this size are written at once, so that a long pipeline does not build one huge string. */
const WRITE_CHARACTERS = 64 * 1024;

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** One connection of a server. */
export class Session {
  /** Whether the server has been asked to flush this session. */
  isFlushDue = false;
  private state = OPEN;
  private readonly parser: RequestParser;
  private readonly body: BodyCollector;
  /** The exchange that is being read, or will be. */
  private reading: SessionExchange;
  /** Exchanges waiting for their answer, or for those before them. */
  private first: SessionExchange | undefined;
  private last: SessionExchange | undefined;
  private waitingCount = 0;
  /** Answers to be written, one character per byte. */
  private out = '';
  private isReading = false;
  /** Not reading: too much waits to be answered or taken. */
  private isBlocked = false;
  private isPeerDone = false;
  /** A `100 Continue` that must wait for the answers before it. */
  private isContinueDue = false;
  private readonly patience: PeerPatience;

  constructor(
    private readonly socket: Socket,
    private readonly host: SessionHost,
  ) {
    this.parser = new RequestParser(host.limits, host.takeHead());
    this.reading = new SessionExchange(this, this.parser.head);
    this.body = new BodyCollector();
    this.patience = new PeerPatience(host.nowMs);
    // A peer that has sent its last request and closed its half still wants the answers.
    socket.allowHalfOpen = true;
    // Answers are joined by us; the kernel must not hold one back for the acknowledgement of another.
    socket.setNoDelay(true);
    socket.on('error', ignore); // 'close' follows, and tells all there is to know
    socket.on('close', () => this.closed());
    socket.on('drain', () => this.flush());
    socket.on('end', () => this.peerDone());
    socket.on('data', (bytes: Buffer) => this.received(bytes));
    socket.resume(); // it was handed over paused
  }

  /** Whether it waits for a request and owes no answer. */
  get isIdle(): boolean {
    return this.state === OPEN && this.waitingCount === 0 && this.patience.waitingFor === REQUEST;
  }

  /** Cuts the connection. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Takes an answer from its exchange, and puts it where its turn is. Called by exchanges only. */
  answer(exchange: SessionExchange, status: number, body: string, headers: PreparedHeaders): void {
    if (exchange.isKeepAlive && this.host.isDraining && exchange === this.last && !this.isReading)
      this.lastOne(exchange);
    let note: ConnectionNote = '';
    if (!exchange.isKeepAlive) note = 'close';
    else if (exchange.isHttp10) note = 'keep-alive';
    const text = this.host.writer.answer(status, body, headers, exchange.isHead, note, exchange.requestIdLine);
    if (this.host.isMeasuring) {
      const durationMs = performance.now() - exchange.startedAtMs;
      this.host.exchangeFinished(exchange.route, status, durationMs, exchange.requestId);
    }
    if (exchange !== this.reading) this.release(exchange);
    if (this.state === CLOSED) return;
    exchange.answerText = text;
    if (exchange !== this.first) return;
    this.takeDueAnswers();
    if (!this.isReading && !this.isFlushDue) this.host.flushSoon(this);
  }

  /** Writes what is due, and reads on if that was what held reading up. */
  flush(): void {
    this.write();
    while (this.isBlocked && this.hasRoom()) {
      this.isBlocked = false;
      this.patience.waitingFor = NOTHING; // the clock did not run while we were not listening
      this.read();
      this.write();
      if (!this.isBlocked) this.socket.resume();
    }
  }

  /** Looks at the clock; called a few times a second. */
  tick(): void {
    const { limits, nowMs } = this.host;
    const isStuck = this.patience.unsentForMs(this.socket.writableLength, nowMs) > limits.writeTimeoutMs;
    if (isStuck || (this.state === LINGERING && this.isLingeringOver())) {
      this.destroy();
      return;
    }
    if (this.state !== OPEN || this.isBlocked) return;
    const { waitingFor } = this.patience;
    const waitedMs = this.patience.waitedMs(nowMs);
    if (waitingFor === REST_OF_HEAD && waitedMs > limits.headTimeoutMs) this.giveUp('HEAD_TIMEOUT');
    else if (waitingFor === REST_OF_BODY && waitedMs > limits.bodyTimeoutMs) this.giveUp('BODY_TIMEOUT');
    else if (this.isIdle && waitedMs > this.idleTimeoutMs()) this.leave();
  }

  private received(bytes: Buffer): void {
    if (this.state !== OPEN) return;
    this.parser.feed(bytes);
    this.read();
    this.flush();
  }

  /** Reads all requests that have come, or as many as there is room for. */
  private read(): void {
    this.isReading = true;
    while (this.state === OPEN) {
      if (!this.hasRoom()) {
        this.isBlocked = true;
        this.socket.pause();
        break;
      }
      const event = this.parser.next();
      if (event === 'head') this.beginRequest();
      else if (event === 'body') this.body.add(this.parser.bytes, this.parser.bodyStart, this.parser.bodyEnd);
      else if (event === 'end') this.endRequest();
      else if (event === 'error') this.refuse(this.parser.error!);
      else {
        if (this.isPeerDone) this.state = CLOSING;
        else this.noteWaiting();
        break;
      }
    }
    this.isReading = false;
  }

  private hasRoom(): boolean {
    const { limits } = this.host;
    return this.waitingCount < limits.pipelineDepthMax && this.socket.writableLength <= limits.unsentBytesMax;
  }

  /** The head is complete: find the resource, which knows how large a body may be. */
  private beginRequest(): void {
    const { head } = this.parser;
    if (this.host.requestIds !== 'none') this.nameRequest(this.reading);
    if (head.fields.hostCount === 0 && head.versionMinor === 1) {
      this.refuse(new HttpError('HOST_MISSING'));
      return;
    }
    const exchange = this.reading;
    exchange.resource = this.host.router.find(head.source, head.pathFirst, head.pathAfter, exchange.parameterRanges);
    const bodyBytesMax = exchange.resource?.bodyBytesMax;
    if (bodyBytesMax !== undefined) this.parser.bodyBytesMax = bodyBytesMax;
    this.patience.waitingFor = NOTHING;
    const { expectsContinue, contentLength } = head.fields;
    if (!expectsContinue || head.versionMinor === 0) return;
    const isAcceptable = head.isChunked || (contentLength > 0 && contentLength <= this.parser.bodyBytesMax);
    if (!isAcceptable) return;
    this.isContinueDue = this.first !== undefined;
    if (!this.isContinueDue) this.out += CONTINUE;
  }

  private nameRequest(exchange: SessionExchange): void {
    const id = fittingRequestId(this.parser.head.header(REQUEST_ID_HEADER));
    if (id !== '') exchange.requestIdLine = `X-Request-Id: ${id}\r\n`;
    exchange.requestId = id === '' && this.host.requestIds === 'all' ? newRequestId() : id;
  }

  /** The request is complete: it takes its place in the row, and its handler runs. */
  private endRequest(): void {
    const { head } = this.parser;
    const exchange = this.reading;
    exchange.body = this.body.take();
    exchange.isHead = head.method === 'HEAD';
    exchange.isHttp10 = head.versionMinor === 0;
    exchange.isKeepAlive = head.isKeepAlive && !this.host.isDraining;
    if (!exchange.isKeepAlive) this.state = CLOSING;
    if (this.host.isMeasuring) exchange.startedAtMs = performance.now();
    this.patience.waitingFor = NOTHING;
    this.isContinueDue = false; // a body that came without one needs none
    this.enqueue(exchange);
    const isOver = this.runHandler(exchange);
    if (isOver && exchange.isAnswered && this.first === undefined) {
      exchange.reuse();
      head.release();
    } else {
      this.parser.head = this.host.takeHead();
      this.reading = new SessionExchange(this, this.parser.head);
      if (exchange.isAnswered) this.release(exchange);
    }
    if (this.out.length >= WRITE_CHARACTERS) this.write();
  }

  /** @returns whether the handler is done with the exchange; one that returned a promise may still fail later */
  private runHandler(exchange: SessionExchange): boolean {
    try {
      const done = this.host.router.handle(exchange, exchange.resource);
      // A handler written as `exchange => start(...)` returns whatever that returns; only a promise can fail later.
      if (!(done instanceof Promise)) return true;
      done.catch((error: unknown) => this.handlerFailed(exchange, error));
      return false;
    } catch (error) {
      this.handlerFailed(exchange, error);
      return true;
    }
  }

  private handlerFailed(exchange: SessionExchange, error: unknown): void {
    this.host.handlerFailed(error, exchange.route, exchange.requestId);
    if (!exchange.isAnswered) exchange.sendError(500, 'internal error');
  }

  private enqueue(exchange: SessionExchange): void {
    if (this.last === undefined) this.first = exchange;
    else this.last.next = exchange;
    this.last = exchange;
    this.waitingCount++;
  }

  /** Moves the answers whose turn has come to what will be written. */
  private takeDueAnswers(): void {
    while (this.first?.answerText !== undefined) {
      this.out += this.first.answerText;
      this.first = this.first.next;
      this.waitingCount--;
    }
    if (this.first !== undefined) return;
    this.last = undefined;
    if (this.patience.waitingFor === REQUEST) this.patience.restart(this.host.nowMs);
    if (this.isContinueDue) {
      this.isContinueDue = false;
      this.out += CONTINUE;
    }
  }

  /** The exchange needs its head no longer, and another may. */
  private release(exchange: SessionExchange): void {
    if (exchange.head === undefined) return;
    this.host.returnHead(exchange.head);
    exchange.head = undefined;
  }

  private write(): void {
    this.isFlushDue = false;
    const { out, socket } = this;
    this.out = '';
    if (this.state === CLOSING && this.first === undefined) {
      this.state = LINGERING;
      this.patience.restart(this.host.nowMs);
      if (out === '') socket.end();
      else socket.end(out, 'latin1');
      socket.resume(); // to throw away
    } else if (out !== '') {
      socket.write(out, 'latin1');
    }
  }

  /** Answers what the parser refused, after all that waits; nothing after it is read. */
  private refuse(error: HttpError): void {
    // The head of the refused message may have been read: then it may have a name.
    const { requestId, requestIdLine } = this.reading;
    this.host.requestRefused(error, requestId);
    const exchange = new SessionExchange(this, undefined);
    exchange.isKeepAlive = false;
    exchange.isAnswered = true;
    const body = errorBody(error.status, error.message);
    exchange.answerText = this.host.writer.answer(error.status, body, JSON_HEADERS, false, 'close', requestIdLine);
    this.isContinueDue = false;
    this.body.take();
    this.state = CLOSING;
    this.enqueue(exchange);
    this.takeDueAnswers();
  }

  private giveUp(code: 'HEAD_TIMEOUT' | 'BODY_TIMEOUT'): void {
    this.refuse(new HttpError(code));
    this.flush();
  }

  /** This exchange is the connection's last. */
  private lastOne(exchange: SessionExchange): void {
    if (this.patience.waitingFor !== REQUEST) return; // another request is on its way
    exchange.isKeepAlive = false;
    this.state = CLOSING;
  }

  /** Closes a connection on which nothing is under way. */
  private leave(): void {
    this.state = LINGERING;
    this.socket.destroySoon();
  }

  private noteWaiting(): void {
    let waitingFor = REQUEST;
    if (this.parser.isInMessage) waitingFor = this.parser.isInBody ? REST_OF_BODY : REST_OF_HEAD;
    this.patience.wait(waitingFor, this.host.nowMs);
  }

  private idleTimeoutMs(): number {
    const { limits, isDraining, isUnderPressure } = this.host;
    if (isDraining) return limits.drainIdleTimeoutMs;
    return isUnderPressure ? limits.idleTimeoutUnderPressureMs : limits.idleTimeoutMs;
  }

  /** The time to linger counts from when the last answer has left. */
  private isLingeringOver(): boolean {
    if (!this.socket.writableFinished) this.patience.restart(this.host.nowMs);
    return this.patience.waitedMs(this.host.nowMs) > this.host.limits.lingerTimeoutMs;
  }

  /** The peer will send no more; what it asked for is still answered. */
  private peerDone(): void {
    this.isPeerDone = true;
    if (this.state !== OPEN) return;
    this.parser.finish();
    if (!this.isBlocked) this.read();
    this.flush();
  }

  private closed(): void {
    this.state = CLOSED;
    for (let exchange = this.first; exchange !== undefined; exchange = exchange.next) exchange.isAborted = true;
    this.host.returnHead(this.parser.head);
    this.host.sessionClosed(this);
  }
}

function ignore(): void {}
