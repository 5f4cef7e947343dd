// session.ts: one connection from its first byte to its last. Sockets and time happen here, bytes in the parser.
//
//   socket ─bytes→ RequestParser ─→ exchange ─→ handler       exchanges wait in request order; answers that are due are
//      ↑                                          │           joined and written once per turn of the event loop
//      └──── one write ←── text ←─ in order ←─────┘
//
//   OPEN ──────→ CLOSING ─────────→ LINGERING ────→ closed
//        last request   all answers         peer closed too, or time is up; what it still sends is thrown away,
//        or refusal     are written         so that no reset swallows our last answer (RFC 9112 9.6)
//
// Nothing is read while too many requests wait for answers or too many answers wait to be taken. A session has no timer:
// the server calls `tick()` on all its sessions a few times a second. The bytes that come are only lent to it: what is not
// used up at once is copied.
import type { Socket } from 'node:net';
// The global of that name is a getter, which is never compiled in: half a microsecond for each request.
import { performance } from 'node:perf_hooks';
import { HttpError } from '../http-error.js';
import { BodyCollector } from '../parser/body-collector.js';
import { RequestParser } from '../parser/request-parser.js';
import { errorBody } from './answer-writer.js';
import { ExchangeQueue } from './exchange-queue.js';
import { NOTHING, PeerPatience, REQUEST } from './peer-patience.js';
import { JSON_HEADERS, type PreparedHeaders } from './prepared-headers.js';
import { rawSocket } from './raw-socket.js';
import { SessionExchange } from './session-exchange.js';
import type { SessionHost } from './session-host.js';
import { type SessionSocket, type SocketUser, StreamSocket } from './session-socket.js';

const OPEN = 0;
const CLOSING = 1;
const LINGERING = 2;
const CLOSED = 3;

/** Answers joined up to this size are written at once, so that a long pipeline does not build one huge string. */
const WRITE_CHARACTERS = 64 * 1024;

/**
 * Written to one connection in one turn of the event loop; the rest in the next. A peer that takes large answers as fast
 * as they can be made would have the thread to itself otherwise.
 */
const TURN_CHARACTERS = 256 * 1024;

/** One connection of a server. */
export class Session implements SocketUser {
  /** Whether the server has been asked to flush this session. */
  isFlushDue = false;
  private state = OPEN;
  private readonly socket: SessionSocket;
  private readonly parser: RequestParser;
  private readonly body = new BodyCollector();
  /** The exchange that is being read, or will be. */
  private reading: SessionExchange;
  private readonly waiting = new ExchangeQueue();
  private isReading = false;
  /** Not reading: too much waits to be answered or taken, or has been written in this turn. */
  private isBlocked = false;
  /** Written since the last flush, which comes at the end of each turn in which this gets large. */
  private turnCharacters = 0;
  private isPeerDone = false;
  private readonly patience: PeerPatience;

  /** @param socket accepted, handed over paused, and never read from */
  constructor(
    socket: Socket,
    private readonly host: SessionHost,
  ) {
    this.parser = new RequestParser(host.limits, host.takeHead());
    this.reading = new SessionExchange(this, this.parser.head);
    this.patience = new PeerPatience(host.nowMs);
    const raw = host.usesRawSockets ? rawSocket(socket, this) : undefined;
    this.socket = raw ?? new StreamSocket(socket, this);
    this.socket.resume();
  }

  /** Whether it waits for a request and owes no answer. */
  get isIdle(): boolean {
    return this.state === OPEN && this.waiting.length === 0 && this.patience.waitingFor === REQUEST;
  }

  /** Cuts the connection. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Takes an answer from its exchange, and puts it where its turn is. Called by exchanges only. */
  answer(exchange: SessionExchange, status: number, body: string, headers: PreparedHeaders): void {
    if (exchange.isKeepAlive && this.host.isDraining && exchange === this.waiting.last && !this.isReading)
      this.lastOne(exchange);
    const { isHead, connectionNote, requestIdLine } = exchange;
    const text = this.host.writer.answer(status, body, headers, isHead, connectionNote, requestIdLine);
    if (this.host.isMeasuring) {
      const durationMs = performance.now() - exchange.startedAtMs;
      this.host.exchangeFinished(exchange.route, status, durationMs, exchange.requestId);
    }
    if (exchange !== this.reading) exchange.releaseHead(this.host);
    if (this.state === CLOSED) return;
    exchange.answerText = text;
    if (exchange !== this.waiting.first) return;
    this.takeDueAnswers();
    if (!this.isReading && !this.isFlushDue) this.host.flushSoon(this);
  }

  /** Writes what is due, and reads on, at the end of a turn of the event loop: what comes now belongs to the next. */
  flush(): void {
    this.turnCharacters = 0;
    this.writeAndReadOn();
  }

  /** However long it has been idle, a request may be under way: it is waited for from now on. */
  beginDrain(): void {
    if (this.patience.waitingFor === REQUEST) this.patience.restart(this.host.nowMs);
  }

  /** Looks at the clock; called a few times a second. */
  tick(): void {
    const { limits, nowMs } = this.host;
    const isStuck = this.patience.unsentForMs(this.socket.backlog, nowMs) > limits.writeTimeoutMs;
    if (isStuck || (this.state === LINGERING && this.isLingeringOver())) {
      this.destroy();
      return;
    }
    // It is we who are slow while there is no room for more, or while a body has not been asked for.
    if (this.state !== OPEN || this.isBlocked || this.waiting.isContinueDue) return;
    const overdue = this.patience.overdue(this.host);
    if (overdue === 'IDLE') this.leaveIfIdle();
    else if (overdue !== undefined) {
      this.refuse(new HttpError(overdue));
      this.flush();
    }
  }

  received(bytes: Buffer, length: number): void {
    if (this.state !== OPEN) return;
    this.parser.feed(bytes, length);
    this.read();
    if (this.parser.isInMessage) this.keepBytes();
    this.writeAndReadOn();
  }

  drained(): void {
    this.flush();
  }

  /** Writes what is due, and reads on if that was what held reading up. */
  private writeAndReadOn(): void {
    this.write();
    while (this.isBlocked && this.hasRoom()) {
      this.isBlocked = false;
      this.patience.waitingFor = NOTHING; // the clock did not run while we were not listening
      this.read();
      this.write();
      if (!this.isBlocked) this.socket.resume();
    }
    // Well before there is no room left: the count starts anew when the turn ends, not when the room does.
    if (this.turnCharacters >= WRITE_CHARACTERS && !this.isFlushDue) this.host.flushSoon(this);
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
        else this.patience.waitFor(this.parser, this.host.nowMs);
        break;
      }
    }
    this.isReading = false;
  }

  private hasRoom(): boolean {
    const { limits } = this.host;
    return (
      this.waiting.length < limits.pipelineDepthMax &&
      this.socket.unsentBytes <= limits.unsentBytesMax &&
      this.turnCharacters <= TURN_CHARACTERS
    );
  }

  /** The head is complete: find the resource, which knows how large a body may be. */
  private beginRequest(): void {
    const { head } = this.parser;
    this.reading.takeName(this.host.requestIds);
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
    if (isAcceptable) this.waiting.addContinue();
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
    this.waiting.dropContinue(); // a body that came without one needs none
    this.waiting.add(exchange);
    const isOver = exchange.run(this.host);
    if (isOver && exchange.isAnswered && this.waiting.first === undefined) {
      exchange.reuse();
      head.release();
    } else {
      this.parser.head = this.host.takeHead();
      this.reading = new SessionExchange(this, this.parser.head);
      if (exchange.isAnswered) exchange.releaseHead(this.host);
      else exchange.keep();
    }
    if (this.waiting.text.length >= WRITE_CHARACTERS) this.write();
  }

  /** Makes answers whose turn has come ready to be written. */
  private takeDueAnswers(): void {
    const { waiting, patience } = this;
    const { isContinueDue } = waiting;
    waiting.takeDueAnswers();
    const isAllAnswered = waiting.first === undefined;
    if (isAllAnswered && (patience.waitingFor === REQUEST || isContinueDue)) patience.restart(this.host.nowMs);
  }

  /** What has come and cannot be used yet: a message not complete, or more of them than there is room for. */
  private keepBytes(): void {
    if (this.state !== OPEN) return;
    if (this.parser.isInBody) this.reading.keep();
    this.parser.keep();
  }

  private write(): void {
    this.isFlushDue = false;
    const { socket } = this;
    const text = this.waiting.takeText();
    this.turnCharacters += text.length;
    if (this.state === CLOSING && this.waiting.first === undefined) {
      this.state = LINGERING;
      this.patience.restart(this.host.nowMs);
      socket.end(text);
      socket.resume(); // to throw away
    } else if (text !== '') {
      socket.write(text);
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
    const isHead = this.parser.head.method === 'HEAD';
    exchange.answerText = this.host.writer.answer(error.status, body, JSON_HEADERS, isHead, 'close', requestIdLine);
    this.waiting.dropContinue();
    this.body.take();
    this.state = CLOSING;
    this.waiting.add(exchange);
    this.takeDueAnswers();
  }

  /** This exchange is the connection's last. */
  private lastOne(exchange: SessionExchange): void {
    if (this.patience.waitingFor !== REQUEST) return; // another request is on its way
    exchange.isKeepAlive = false;
    this.state = CLOSING;
  }

  /** Closes a connection on which nothing is under way. */
  private leaveIfIdle(): void {
    if (!this.isIdle) return;
    this.state = LINGERING;
    this.socket.destroySoon();
  }

  /** The time to linger counts from when the last answer has left. */
  private isLingeringOver(): boolean {
    if (!this.socket.isFinished) this.patience.restart(this.host.nowMs);
    return this.patience.waitedMs(this.host.nowMs) > this.host.limits.lingerTimeoutMs;
  }

  /** The peer will send no more; what it asked for is still answered. */
  peerDone(): void {
    this.isPeerDone = true;
    if (this.state !== OPEN) return;
    this.parser.finish();
    if (!this.isBlocked) this.read();
    this.flush();
  }

  closed(): void {
    this.state = CLOSED;
    this.waiting.abort();
    this.host.returnHead(this.parser.head);
    this.host.sessionClosed(this);
  }
}
