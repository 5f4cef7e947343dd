// port-calls.ts: request and reply over a MessagePort, for a service and the owner of its pool. Both ends may call and
// serve on the same port, beside messages of their own. Replies come in any order; each carries its call's number.
//
//   { call: 7, name: 'reserve', payload }  ──►
//                                          ◄──  { reply: 7, result }  or  { reply: 7, failure: 'what went wrong' }

import type { MessagePort } from 'node:worker_threads';
import { PoolError } from './pool-error.js';

/** What a port can be asked: each name with its request and its reply. Both must survive structuredClone. */
export type CallTable = Record<string, { readonly request: unknown; readonly reply: unknown }>;

/** One function per name, which answers now or later. What it throws is sent to the caller as its message only. */
export type CallHandlers<Calls extends CallTable> = {
  readonly [Name in keyof Calls]: (
    request: Calls[Name]['request'],
  ) => Calls[Name]['reply'] | Promise<Calls[Name]['reply']>;
};

interface CallMessage {
  readonly call: number;
  readonly name: string;
  readonly payload: unknown;
}

type ReplyMessage =
  | { readonly reply: number; readonly result: unknown }
  | { readonly reply: number; readonly failure: string };

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: PoolError) => void;
}

class Caller {
  readonly #port: MessagePort;
  readonly #pending = new Map<number, PendingCall>();
  #lastCall = 0;
  #isClosed = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: unknown) => {
      if (isReply(message)) this.#settle(message);
    });
    port.on('close', () => this.#fail());
  }

  call(name: string, payload: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new PoolError('PORT_CLOSED', `${name}: the port is closed`));
    this.#lastCall += 1;
    const call = this.#lastCall;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      if (timeoutMs !== Number.POSITIVE_INFINITY) {
        timer = setTimeout(() => {
          this.#pending.delete(call);
          reject(new PoolError('CALL_TIMEOUT', `${name}: no answer within ${timeoutMs} ms`));
        }, timeoutMs);
      }
      this.#pending.set(call, {
        resolve: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      const message: CallMessage = { call, name, payload };
      this.#port.postMessage(message);
    });
  }

  #settle(message: ReplyMessage): void {
    const pending = this.#pending.get(message.reply);
    if (pending === undefined) return; // it timed out
    this.#pending.delete(message.reply);
    if ('failure' in message) pending.reject(new PoolError('CALL_FAILED', message.failure));
    else pending.resolve(message.result);
  }

  #fail(): void {
    this.#isClosed = true;
    for (const pending of this.#pending.values())
      pending.reject(new PoolError('PORT_CLOSED', 'the other end has gone'));
    this.#pending.clear();
  }
}

const callers = new WeakMap<MessagePort, Caller>();

/**
 * Asks the other end, which serves `name` with serveCalls().
 * @param timeoutMs milliseconds; Infinity (the default) waits as long as the port lives
 * Rejects with PoolError CALL_FAILED, CALL_TIMEOUT or PORT_CLOSED.
 */
export function call<Calls extends CallTable, Name extends keyof Calls & string>(
  port: MessagePort,
  name: Name,
  payload: Calls[Name]['request'],
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<Calls[Name]['reply']> {
  let caller = callers.get(port);
  if (caller === undefined) {
    caller = new Caller(port);
    callers.set(port, caller);
  }
  return caller.call(name, payload, timeoutMs);
}

/** Answers the calls that the other end makes. Once per port. Other messages on the port are left alone. */
export function serveCalls<Calls extends CallTable>(port: MessagePort, handlers: CallHandlers<Calls>): void {
  port.on('message', (message: unknown) => {
    if (isCall(message)) void answer(port, message, handlers[message.name]);
  });
}

async function answer(
  port: MessagePort,
  { call, name, payload }: CallMessage,
  handler: ((request: never) => unknown) | undefined,
): Promise<void> {
  const send = (reply: ReplyMessage) => port.postMessage(reply);
  try {
    if (handler === undefined) throw new Error(`nothing serves ${name}`);
    send({ reply: call, result: await handler(payload as never) });
  } catch (error) {
    // Thrown by the handler, or by postMessage for a result that cannot be cloned.
    send({ reply: call, failure: error instanceof Error ? error.message : String(error) });
  }
}

function isCall(message: unknown): message is CallMessage {
  return typeof message === 'object' && message !== null && 'call' in message;
}

function isReply(message: unknown): message is ReplyMessage {
  return typeof message === 'object' && message !== null && 'reply' in message;
}
