// client-connection.ts: a keep-alive HTTP connection as a client: one request at a time, or several sent ahead.
//
//   request() ──→ socket ──→ …        answers come back in the order of the requests (RFC 9112 9.3)
//   promise  ←── ResponseParser ←──   interim answers (1xx) are passed over
//
// Whatever goes wrong (refused, lost, malformed, too slow) is an HttpError with a code; it ends the connection and every
// request still waiting on it. The caller opens a new one. It never sends a request twice.
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { formatAddress } from '../address.js';
import { assert } from '../assert.js';
import { HttpError } from './http-error.js';
import { type HttpLimits, httpLimits } from './limits.js';
import { BodyCollector } from './parser/body-collector.js';
import { FIELD_TEXT, isMadeOf, TARGET, TOKEN } from './parser/grammar.js';
import { ResponseHead } from './parser/message-head.js';
import { ResponseParser } from './parser/response-parser.js';

export interface ClientConnectionOptions {
  /** Default: http. With https the server must show a certificate that Node.js trusts (NODE_EXTRA_CA_CERTS). */
  readonly scheme?: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Without a complete answer while one is owed, connecting included; past it the connection is cut. */
  readonly timeoutMs?: number;
  /** Bounds on what the server may send; `bodyBytesMax` above all. */
  readonly limits?: Partial<HttpLimits>;
}

/** What goes with a request besides method and target. Host and Content-Length are added. */
export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface ClientResponse {
  readonly status: number;
  readonly body: Buffer;
  /** Whether the server keeps the connection open. */
  readonly isKeepAlive: boolean;
  header(lowerCaseName: string): string | undefined;
}

interface Waiting {
  readonly resolve: (response: ClientResponse) => void;
  readonly reject: (error: HttpError) => void;
}

const TIMEOUT_MS = 15_000;
/** Larger answers than a server takes as requests: a page of metrics, say. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;

/** One connection to one server. Connects when it is made. */
export class ClientConnection {
  private readonly socket: Socket;
  private readonly parser: ResponseParser;
  private readonly body = new BodyCollector();
  private readonly waiting: Waiting[] = [];
  private readonly hostLine: string;
  private readonly timer: NodeJS.Timeout;
  private failure: HttpError | undefined;
  private isConnected = false;
  private isEnding = false;

  constructor(options: ClientConnectionOptions) {
    const { scheme = 'http', host, port, timeoutMs = TIMEOUT_MS } = options;
    this.parser = new ResponseParser(httpLimits({ bodyBytesMax: BODY_BYTES_MAX, ...options.limits }));
    this.hostLine = `Host: ${formatAddress(host, port)}\r\n`;
    this.timer = setTimeout(() => this.timedOut(), timeoutMs);
    this.timer.unref();
    const isSecure = scheme === 'https';
    this.socket = isSecure
      ? connectSecurely({ host, port, ALPNProtocols: ['http/1.1'] }).setNoDelay()
      : connect({ host, port, noDelay: true });
    this.socket.on(isSecure ? 'secureConnect' : 'connect', () => {
      this.isConnected = true;
    });
    this.socket.on('data', (bytes: Buffer) => this.received(bytes));
    this.socket.on('end', () => this.peerDone());
    this.socket.on('error', (cause) => this.fail(new HttpError(this.lossCode(), { cause })));
    this.socket.on('close', () => this.fail(new HttpError(this.lossCode())));
  }

  /** Whether another request can be sent. */
  get isOpen(): boolean {
    return this.failure === undefined && !this.isEnding;
  }

  /**
   * Sends a request at once, behind those that wait for their answers.
   * @param target origin-form, already percent-encoded
   * @returns the answer, whatever its status; rejects with an HttpError when there is none
   */
  request(method: string, target: string, options: RequestOptions = {}): Promise<ClientResponse> {
    if (!this.isOpen) return Promise.reject(this.failure ?? new HttpError('CONNECTION_LOST'));
    const text = requestText(method, target, this.hostLine, options);
    return new Promise((resolve, reject) => {
      if (this.waiting.push({ resolve, reject }) === 1) this.timer.refresh();
      this.parser.expect(method);
      this.socket.write(text, 'latin1');
    });
  }

  /** Closes the connection; what still waits is rejected with CONNECTION_LOST. */
  close(): void {
    this.fail(new HttpError('CONNECTION_LOST'));
  }

  private received(bytes: Buffer): void {
    if (this.failure !== undefined) return;
    this.parser.feed(bytes);
    this.read();
  }

  private read(): void {
    for (;;) {
      const event = this.parser.next();
      if (event === 'need-more') return;
      if (event === 'error') {
        this.fail(this.parser.error!);
        return;
      }
      if (event === 'body') this.body.add(this.parser.bytes, this.parser.bodyStart, this.parser.bodyEnd);
      if (event === 'end') this.deliver();
      if (this.isEnding) return;
    }
  }

  private deliver(): void {
    const { head } = this.parser;
    if (head.status < 200) return;
    const { isKeepAlive, status } = head;
    // The answer keeps the head it was read into, and the parser gets a new one.
    this.parser.head = new ResponseHead();
    const waiting = this.waiting.shift();
    assert(waiting !== undefined, 'the parser expects as many answers as there are requests');
    this.timer.refresh();
    waiting.resolve({ status, isKeepAlive, body: this.body.take(), header: (name) => head.fields.header(name) });
    if (isKeepAlive) return;
    this.isEnding = true;
    this.socket.end();
  }

  /** The server has closed its half: the end of a body without a length, or of everything. */
  private peerDone(): void {
    if (this.failure !== undefined || this.isEnding) return;
    this.parser.finish();
    this.read();
  }

  private timedOut(): void {
    if (this.waiting.length > 0) this.fail(new HttpError('RESPONSE_TIMEOUT'));
  }

  private lossCode(): 'CONNECTION_LOST' | 'CONNECT_FAILED' {
    return this.isConnected ? 'CONNECTION_LOST' : 'CONNECT_FAILED';
  }

  /** Ends the connection for one reason; what comes after it changes nothing. */
  private fail(error: HttpError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    clearTimeout(this.timer);
    this.socket.destroy();
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

/** A request as text of one character per byte. */
function requestText(method: string, target: string, hostLine: string, options: RequestOptions): string {
  const isWhole = method !== '' && target !== '';
  assert(isWhole && isMadeOf(method, TOKEN) && isMadeOf(target, TARGET), `malformed request ${method} ${target}`);
  let head = `${method} ${target} HTTP/1.1\r\n${hostLine}`;
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    assert(name !== '' && isMadeOf(name, TOKEN) && isMadeOf(value, FIELD_TEXT), `malformed header ${name}`);
    head += `${name}: ${value}\r\n`;
  }
  if (options.body === undefined) return `${head}\r\n`;
  const body = Buffer.from(options.body as string).toString('latin1');
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}
