// port-calls.ts: request and answer over a MessagePort, and messages that want no answer. Both ends may call and serve on
// the same port, several parts of the program too (each under names of its own), beside messages of their own.
//
//   { call: 7, name: 'reserve', payload }  ──►
//                                          ◄──  { reply: 7, result }  or  { reply: 7, code, failure: 'what went wrong' }
//   { call: 0, name: 'selling', payload }  ──►  nobody waits for an answer
//
// Answers come in any order; each carries its call's number. Bytes are cloned in a buffer of just their size: cloning a
// view of a larger buffer would clone all of that. Handing the buffer over instead costs more than it saves, up to some
// ten thousand bytes.

import type { MessagePort } from 'node:worker_threads';
import { ChurnMap } from './churn-map.js';

/** What a port can be asked: each name with its request and its reply. Both must survive structuredClone. */
export type CallTable = Record<string, { readonly request: unknown; readonly reply: unknown }>;

/**
 * One function per name, which answers now or later. Of what it throws the caller gets the message and, where it has one,
 * the code; what it throws at a notification is an uncaught error.
 */
export type CallHandlers<Calls extends CallTable> = {
  readonly [Name in keyof Calls]: (
    request: Calls[Name]['request'],
  ) => Calls[Name]['reply'] | Promise<Calls[Name]['reply']>;
};

/**
 * A call that was not answered, told apart by its code:
 *
 * CALL_TIMEOUT   there was no answer in time
 * PORT_CLOSED    the other end has gone
 * CALL_FAILED    the handler threw an error without a code, or nothing serves the name; the message says which
 * any other      the code of the error that the handler threw, a gRPC status for example; the message is that error's too
 */
export class PortCallError extends Error {
  override readonly name = 'PortCallError';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The number of a call that wants no answer. */
const NOTIFICATION = 0;

interface CallMessage {
  readonly call: number;
  readonly name: string;
  readonly payload: unknown;
}

type ReplyMessage =
  | { readonly reply: number; readonly result: unknown }
  | { readonly reply: number; readonly code: string; readonly failure: string };

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: PortCallError) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

type Handler = (request: never) => unknown;

/** What goes on over one port: calls that wait for their answer, and functions that answer. */
class PortCalls {
  readonly #port: MessagePort;
  readonly #pending = new ChurnMap<number, PendingCall>();
  readonly #handlers = new Map<string, Handler>();
  #lastCall = NOTIFICATION;
  #isClosed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: unknown) => this.receive(message));
    port.on('close', () => this.#close());
  }

  receive(message: unknown): void {
    if (typeof message !== 'object' || message === null) return;
    if ('call' in message) this.#serve(message as CallMessage);
    else if ('reply' in message) this.#finish(message as ReplyMessage);
  }

  serve(handlers: Record<string, Handler>): void {
    for (const [name, handler] of Object.entries(handlers)) this.#handlers.set(name, handler);
  }

  call(name: string, payload: unknown, timeoutMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new PortCallError('PORT_CLOSED', `${name}: the port is closed`);
      this.#lastCall += 1;
      const call = this.#lastCall;
      this.#send({ call, name, payload: sized(payload) });
      const onTimeout = () => {
        this.#pending.delete(call);
        reject(new PortCallError('CALL_TIMEOUT', `${name} timed out after ${timeoutMs} ms`));
      };
      const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(onTimeout, timeoutMs);
      this.#pending.set(call, { resolve, reject, timer });
    });
  }

  notify(name: string, payload: unknown): void {
    this.#send({ call: NOTIFICATION, name, payload: sized(payload) });
  }

  #serve(message: CallMessage): void {
    const { call, name, payload } = message;
    const handler = this.#handlers.get(name);
    if (call === NOTIFICATION) void handler?.(payload as never);
    else void this.#answer(call, name, handler, payload);
  }

  async #answer(reply: number, name: string, handler: Handler | undefined, payload: unknown): Promise<void> {
    try {
      if (handler === undefined) throw new Error(`nothing serves ${name}`);
      this.#send({ reply, result: sized(await handler(payload as never)) });
    } catch (error) {
      // Thrown by the handler, or by postMessage for a result that cannot be cloned.
      this.#send({ reply, code: codeOf(error), failure: error instanceof Error ? error.message : String(error) });
    }
  }

  #finish(message: ReplyMessage): void {
    const pending = this.#pending.get(message.reply);
    if (pending === undefined) return; // it timed out
    this.#pending.delete(message.reply);
    clearTimeout(pending.timer);
    if ('failure' in message) pending.reject(new PortCallError(message.code, message.failure));
    else pending.resolve(message.result);
  }

  #close(): void {
    this.#isClosed = true;
    for (const [call, { reject, timer }] of this.#pending.entries()) {
      this.#pending.delete(call);
      clearTimeout(timer);
      reject(new PortCallError('PORT_CLOSED', 'the other end of the port has gone'));
    }
  }

  #send(message: CallMessage | ReplyMessage): void {
    const peer = ports.get(peers.get(this.#port)!);
    const isNotification = 'call' in message && message.call === NOTIFICATION;
    // Notifications keep their order among themselves, also with those from before the other end was there.
    if (peer === undefined || isNotification) this.#port.postMessage(message);
    else queueMicrotask(() => peer.receive(message));
  }
}

const ports = new WeakMap<MessagePort, PortCalls>();
/** The other ends of ports that have both in this thread. */
const peers = new WeakMap<MessagePort, MessagePort>();

/**
 * Says that both ends of a channel stay in this thread: calls go straight over, without being cloned and without a turn of
 * the event loop. What is handed over must not be changed afterwards. Their answers come without a turn as well: whoever calls
 * again and again until something is so must leave the loop a turn in between (setImmediate), or nothing else ever runs.
 */
export function joinPorts(one: MessagePort, other: MessagePort): void {
  peers.set(one, other);
  peers.set(other, one);
}

function callsOf(port: MessagePort): PortCalls {
  let calls = ports.get(port);
  if (calls === undefined) {
    calls = new PortCalls(port);
    ports.set(port, calls);
  }
  return calls;
}

/**
 * Asks the other end, which serves `name` with serveCalls().
 * @param timeoutMs milliseconds; Infinity (the default) waits as long as the port lives
 * Rejects with a PortCallError; with a DataCloneError where the payload cannot be cloned.
 */
export function call<Calls extends CallTable, Name extends keyof Calls & string>(
  port: MessagePort,
  name: Name,
  payload: Calls[Name]['request'],
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<Calls[Name]['reply']> {
  return callsOf(port).call(name, payload, timeoutMs);
}

/** Tells the other end, which serves `name` with serveCalls(), and wants no answer. Nothing happens if nobody serves it. */
export function notify<Calls extends CallTable, Name extends keyof Calls & string>(
  port: MessagePort,
  name: Name,
  payload: Calls[Name]['request'],
): void {
  callsOf(port).notify(name, payload);
}

/**
 * Answers what the other end calls and notifies by these names. Whoever serves a port before first waiting for anything
 * misses no message. Messages that are no calls are left alone.
 */
export function serveCalls<Calls extends CallTable>(port: MessagePort, handlers: CallHandlers<Calls>): void {
  callsOf(port).serve(handlers);
}

/** Bytes in a buffer of just their size; anything else as it is. For bytes that are a field of a payload. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function sized(value: unknown): unknown {
  return value instanceof Uint8Array ? ownBytes(value) : value;
}

function codeOf(error: unknown): string {
  const hasCode = error instanceof Error && 'code' in error && typeof error.code === 'string';
  return hasCode ? (error.code as string) : 'CALL_FAILED';
}
