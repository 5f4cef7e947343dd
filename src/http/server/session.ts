// session.ts: the life of one connection, from its first byte to its last, from top to bottom. Sockets and time happen here,
// bytes in the parser.
//
//   socket ─bytes→ RequestParser ─→ exchange ─→ handler       exchanges wait in request order; answers that are due are
//      ↑                                          │           joined and written once per turn of the event loop
//      └──── one write ←── text ←─ in order ←─────┘
//
//   OPEN ──────→ CLOSING ─────────→ LINGERING ────→ closed
//        last request   all answers         peer closed too, or time is up; what it still sends is thrown away,
//        or refusal     are written         so that no reset swallows our last answer (RFC 9112 9.6)
//
// Nothing is read while too many requests wait for answers or too many answers wait to be taken. The bytes that come are
// only lent to a session: what is not used up at once is copied. It has no timer: session-clock.ts tells it what has taken
// too long.
import type { Socket } from 'node:net';
// The global of that name is a getter, which is never compiled in: half a microsecond for each request.
import { performance } from 'node:perf_hooks';
import { HttpError } from '../http-error.js';
import { BodyCollector } from '../parser/body-collector.js';
import { RequestParser } from '../parser/request-parser.js';
import type { AnswerWriter } from './answer-writer.js';
import { Deadline, type DeadlineOwner, type DeadlineQueue } from './deadline-queue.js';
import { Outbox } from './outbox.js';
import { rawSocket } from './raw-socket.js';
import { type ExchangeOwner, SessionExchange } from './session-exchange.js';
import type { HostedSession, SessionHost } from './session-host.js';
import { type SessionSocket, type SocketUser, StreamSocket } from './session-socket.js';

const OPEN = 0;
const CLOSING = 1;
const LINGERING = 2;
const CLOSED = 3;

export class Session implements HostedSession, SocketUser, ExchangeOwner, DeadlineOwner {
  isFlushDue = false;
  readonly writer: AnswerWriter;
  private state = OPEN;
  private readonly socket: SessionSocket;
  private readonly parser: RequestParser;
  private readonly body = new BodyCollector();
  /** The exchange that is being read, or will be. */
  private reading: SessionExchange;
  private readonly outbox: Outbox;
  private isReading = false;
  /** Not reading: too much waits to be answered or taken, or has been written in this turn. */
  private isBlocked = false;
  private isPeerDone = false;
  /** For what comes from the peer next. */
  private readonly peerDeadline = new Deadline(this);
  /** Whether a head or a message has been completed since that deadline was set. */
  private hasProgressed = false;

  /** @param accepted the socket, handed over paused, and never read from */
  constructor(
    private readonly accepted: Socket,
    private readonly host: SessionHost,
  ) {
    this.writer = host.writer;
    this.parser = new RequestParser(host.limits, host.takeHead());
    this.reading = new SessionExchange(this, this.parser.head);
    const raw = host.usesRawSockets ? rawSocket(accepted, this) : undefined;
    this.socket = raw ?? new StreamSocket(accepted, this);
    this.outbox = new Outbox(this.socket, host.limits, host.clock);
    this.awaitPeer();
    this.socket.resume();
  }

  received(bytes: Buffer, length: number): void {
    if (this.state !== OPEN) return;
    this.parser.feed(bytes, length);
    this.read();
    if (this.parser.isInMessage) this.keepBytes();
    this.writeAndReadOn();
  }

  /** Reads all requests that have come, or as many as there is room for. */
  private read(): void {
    this.isReading = true;
    while (this.state === OPEN) {
      if (!this.outbox.hasRoomForRequest) {
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
        if (this.isPeerDone) this.beginClosing();
        else this.awaitPeer();
        break;
      }
    }
    this.isReading = false;
  }

  /** The head is complete: find the resource, which knows how large a body may be, and whether one is wanted at all. */
  private beginRequest(): void {
    const { head } = this.parser;
    const { router, requestIds } = this.host;
    const exchange = this.reading;
    this.hasProgressed = true;
    exchange.takeName(requestIds);
    if (head.fields.hostCount === 0 && head.versionMinor === 1) return this.refuse(new HttpError('HOST_MISSING'));
    if (head.scheme !== '' && (head.scheme === 'https') !== this.socket.isSecure)
      return this.refuse(new HttpError('MISDIRECTED'));
    const resource = router.find(head.source, head.pathFirst, head.pathAfter, exchange.parameterRanges);
    exchange.resource = resource;
    if (resource?.bodyBytesMax !== undefined) this.parser.bodyBytesMax = resource.bodyBytesMax;
    const { expectsContinue, contentLength, hasContentCoding } = head.fields;
    if (!expectsContinue || head.versionMinor === 0 || !(head.isChunked || contentLength > 0)) return;
    if (router.headAnswer(exchange, resource, hasContentCoding) !== undefined) {
      // The body may follow or not, so what follows cannot be told from it.
      head.isKeepAlive = false;
      this.endRequest();
    } else if (contentLength <= this.parser.bodyBytesMax) {
      this.outbox.exchanges.addContinue();
    }
  }

  /** The request is complete, or needs no more: it takes its place in the row, and its handler runs. */
  private endRequest(): void {
    const { head } = this.parser;
    const exchange = this.reading;
    exchange.body = this.body.take();
    exchange.isHead = head.method === 'HEAD';
    exchange.isHttp10 = head.versionMinor === 0;
    exchange.isKeepAlive = head.isKeepAlive && !this.host.isDraining;
    if (!exchange.isKeepAlive) this.state = CLOSING;
    if (this.host.isMeasuring) exchange.startedAtMs = performance.now();
    this.hasProgressed = true;
    this.outbox.exchanges.dropContinue(); // a body that came without one needs none
    this.outbox.exchanges.add(exchange);
    this.host.onRequest?.(exchange);
    const isOver = this.handle(exchange, head.fields.hasContentCoding);
    if (isOver && exchange.isAnswered && this.outbox.isAllAnswered) {
      exchange.reuse();
      head.release();
    } else {
      this.parser.head = this.host.takeHead();
      this.reading = new SessionExchange(this, this.parser.head);
      if (exchange.isAnswered) this.releaseHead(exchange);
      else exchange.keep();
    }
    if (this.outbox.isLarge) this.write();
  }

  /**
   * Runs the handler of the request's resource, and answers for it if it fails.
   * @returns whether the handler is done with the exchange; one that returned a promise may still fail later
   */
  private handle(exchange: SessionExchange, hasContentCoding: boolean): boolean {
    try {
      const done = this.host.router.handle(exchange, exchange.resource, hasContentCoding);
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
    this.host.handlerFailed(error, exchange);
    if (!exchange.isAnswered) exchange.sendError(500, 'internal error');
    else if (exchange.isOpen) this.destroy(); // half an answer must not look like a whole one
  }

  /** What has come and cannot be used yet: a message not complete, or more of them than there is room for. */
  private keepBytes(): void {
    if (this.state !== OPEN) return;
    if (this.parser.isInBody) this.reading.keep();
    this.parser.keep();
  }

  /** An exchange has its answer, or the beginning of one: it leaves when those before it have left. */
  answered(exchange: SessionExchange): void {
    const { host, outbox } = this;
    // While draining the last answer ends the connection, unless another request is on its way.
    const isLast = exchange === outbox.exchanges.last && !this.isReading && !this.parser.isInMessage;
    if (host.isDraining && isLast && this.state === OPEN) this.beginClosing();
    if (exchange.outgoing !== undefined) this.streamBegins(exchange);
    if (host.isMeasuring) {
      const durationMs = performance.now() - exchange.startedAtMs;
      host.exchangeFinished(exchange, durationMs);
    }
    if (exchange !== this.reading) this.releaseHead(exchange);
    if (this.state === CLOSED || exchange !== outbox.exchanges.first) return;
    this.takeDueAnswers();
    if (!this.isReading && !this.isFlushDue) host.flushSoon(this);
  }

  private streamBegins(exchange: SessionExchange): void {
    if (this.state === CLOSED) return;
    const { outgoing, isOpen, isKeepAlive } = exchange;
    if (isOpen) this.host.streamBegan(this.accepted);
    if (this.host.isDraining || this.isPeerDone) queueMicrotask(() => outgoing?.wantEnd());
    if (isKeepAlive || this.state !== OPEN) return;
    // HTTP/1.0: the connection's last, whatever was thought of it before.
    this.state = CLOSING;
    this.outbox.exchanges.dropBehind(exchange, (dropped) => this.abort(dropped));
  }

  /** There is more of an answer, or its end. @returns whether there is room for more */
  streamed(exchange: SessionExchange): boolean {
    const { host, outbox } = this;
    if (this.state === CLOSED) return false;
    if (!exchange.isOpen) host.streamEnded();
    if (exchange === outbox.exchanges.first) {
      this.takeDueAnswers();
      if (outbox.isLarge) this.write();
      if (!this.isReading && !this.isFlushDue) host.flushSoon(this);
    }
    return exchange.isOpen && outbox.hasRoomFor(exchange);
  }

  /** The head is not needed any longer, and another exchange may have it. */
  private releaseHead(exchange: SessionExchange): void {
    if (exchange.head === undefined) return;
    this.host.returnHead(exchange.head);
    exchange.head = undefined;
  }

  /** Makes answers whose turn has come ready to be written. */
  private takeDueAnswers(): void {
    const { exchanges } = this.outbox;
    const { isContinueDue } = exchanges;
    exchanges.takeDueAnswers();
    // Idle from now on, or asked for a body only now.
    const isOurTurnOver = this.outbox.isAllAnswered && (isContinueDue || !this.parser.isInMessage);
    if (isOurTurnOver && !this.isReading && this.state === OPEN) {
      this.hasProgressed = true;
      this.awaitPeer();
    }
  }

  /** Writes what is due, and reads on, at the end of a turn of the event loop: what comes now belongs to the next. */
  flush(): void {
    this.outbox.beginTurn();
    this.writeAndReadOn();
  }

  /** This may come in the turn of the write itself, which is not over then: over TLS it does. */
  drained(): void {
    this.outbox.drained();
    this.writeAndReadOn();
  }

  /** Writes what is due, and reads on if that was what held reading up. */
  private writeAndReadOn(): void {
    this.write();
    while (this.isBlocked && this.outbox.hasRoomForRequest) {
      this.isBlocked = false;
      this.hasProgressed = true; // the clock did not run while we were not listening
      this.read();
      this.write();
      if (!this.isBlocked) this.socket.resume();
    }
    if (this.outbox.hasLargeTurn && !this.isFlushDue) this.host.flushSoon(this);
    this.outbox.makeRoom();
  }

  private write(): void {
    const isEnd = this.state === CLOSING && this.outbox.isAllAnswered;
    this.outbox.write(isEnd);
    if (!isEnd) return;
    this.state = LINGERING;
    this.peerDeadline.cancel();
    this.socket.resume(); // to throw away
  }

  /** Answers what the parser refused, after all that waits; nothing after it is read. */
  private refuse(error: HttpError): void {
    // The head of the refused message may have been read: then it may have a name.
    const { requestId, requestIdLine } = this.reading;
    this.host.requestRefused(error, requestId);
    this.outbox.exchanges.dropContinue();
    this.body.take();
    this.state = CLOSING;
    const exchange = new SessionExchange(this, undefined);
    exchange.refuse(error, requestIdLine, this.parser.head.method === 'HEAD');
    this.outbox.exchanges.add(exchange);
    this.takeDueAnswers();
  }

  /** No more requests are read; the last of those that wait for their answers says so. */
  private beginClosing(): void {
    this.state = CLOSING;
    const { last } = this.outbox.exchanges;
    if (last !== undefined) last.isKeepAlive = false;
  }

  /** The peer will send no more; what it asked for is still answered. */
  peerDone(): void {
    this.isPeerDone = true;
    if (this.state === OPEN) {
      this.parser.finish();
      if (!this.isBlocked) this.read();
    }
    for (const exchange of this.outbox.exchanges) exchange.outgoing?.wantEnd();
    this.flush();
  }

  /** Waits for what comes next, from now on if it was not that already. */
  private awaitPeer(): void {
    const { parser } = this;
    const { clock } = this.host;
    let queue = clock.request;
    if (parser.isInMessage) queue = parser.isInBody ? clock.body : clock.head;
    if (queue === this.peerDeadline.queue && !this.hasProgressed) return;
    this.hasProgressed = false;
    queue.restart(this.peerDeadline, clock.nowMs);
  }

  timedOut(deadline: Deadline, queue: DeadlineQueue): void {
    const { clock } = this.host;
    if (queue === clock.linger) this.destroy();
    else if (this.state !== OPEN) return;
    else if (queue === clock.request && this.isIdle) this.leave();
    else if (queue === clock.request || this.isBlocked || this.outbox.exchanges.isContinueDue) {
      // It is we who are slow: with an answer, with room for more, or with asking for a body.
      queue.restart(deadline, clock.nowMs);
    } else {
      this.refuse(new HttpError(queue === clock.head ? 'HEAD_TIMEOUT' : 'BODY_TIMEOUT'));
      this.flush();
    }
  }

  /** Whether it waits for a request and owes no answer. */
  get isIdle(): boolean {
    return this.state === OPEN && this.outbox.isAllAnswered && !this.parser.isInMessage;
  }

  /** Closes a connection on which nothing is under way. */
  private leave(): void {
    this.state = LINGERING;
    this.socket.destroySoon();
  }

  /** However long it has been idle, a request may be under way: it is waited for from now on. */
  beginDrain(): void {
    for (const exchange of this.outbox.exchanges) exchange.outgoing?.wantEnd();
    if (this.state !== OPEN) return;
    this.hasProgressed = true;
    this.awaitPeer();
  }

  /** Our last answer has left, and the end of our half with it. */
  ended(): void {
    const { clock } = this.host;
    if (this.state !== CLOSED) clock.linger.restart(this.peerDeadline, clock.nowMs);
  }

  private abort(exchange: SessionExchange): void {
    if (exchange.isOpen) this.host.streamEnded();
    exchange.abort();
  }

  destroy(): void {
    this.socket.destroy();
  }

  closed(): void {
    this.state = CLOSED;
    this.peerDeadline.cancel();
    this.outbox.close();
    for (const exchange of this.outbox.exchanges) this.abort(exchange);
    this.host.returnHead(this.parser.head);
    this.host.sessionClosed(this);
  }
}
