// work.ts: turns a job's work into bytes to send and a check for each answer, made once before the clock starts.
//
//   script of one connection:   next() -> { text, operation, check }   check(answer) -> undefined | what is wrong
//
// An answer is checked in place: its body must begin with the bytes that only the right answer begins with. For a query
// that is everything up to the price, the name asked for included; for an order everything up to the number.

import { TOYS } from '../store/toys.js';
import type { Work } from './load-job.js';

export type Operation = 'query' | 'order';

/** Says what is wrong with an answer, or that nothing is. */
export type Check = (status: number, bytes: Buffer, bodyStart: number, bodyEnd: number) => Verdict;

/** `right`, or what was wrong. A refusal of an order for want of stock is wrong too: it is quicker than a sale. */
export type Verdict = 'right' | { readonly problem: string };

/** One request, ready to be sent. */
export interface Request {
  readonly operation: Operation;
  /** Each character one byte. */
  readonly text: string;
  readonly check: Check;
}

/** The endless sequence of requests of one connection. A connection asks for the next when the last is answered. */
export interface Script {
  next(): Request;
}

const OK = 200;
const RIGHT: Verdict = 'right';
const QUOTED_BYTES_MAX = 80;
const ZERO = 0x30;
/** Where the quantity's last digit stands: before the two closing braces. */
const CLOSING_BYTES = 2;

/**
 * @param host for the Host field, with port
 * @param connectionIndex shifts where the connection starts in the list of toys, so that they do not march in step
 */
export function createScript(work: Work, host: string, connectionIndex: number): Script {
  if (work === 'query')
    return inTurn(
      TOYS.map((toy) => queryRequest(toy, host)),
      connectionIndex,
    );
  if (work === 'order')
    return inTurn(
      TOYS.map((toy) => orderRequest(toy, host)),
      connectionIndex,
    );
  return 'p' in work ? new SessionScript(work.p, host) : inTurn([fixedRequest(work.path, work.body, host)], 0);
}

function inTurn(requests: readonly Request[], start: number): Script {
  let index = start % requests.length;
  return {
    next: () => {
      const request = requests[index]!;
      index = (index + 1) % requests.length;
      return request;
    },
  };
}

/** The customer of the store's client: a random toy; if some are left, with probability p an order for it. */
class SessionScript implements Script {
  readonly #p: number;
  readonly #queries: Request[];
  readonly #orders: Request[];
  #toy = 0;
  #stock = 0;
  #isQueryNext = true;

  constructor(p: number, host: string) {
    this.#p = p;
    this.#orders = TOYS.map((toy) => orderRequest(toy, host));
    this.#queries = TOYS.map((toy) => {
      const request = queryRequest(toy, host);
      const check: Check = (status, bytes, bodyStart, bodyEnd) => {
        const verdict = request.check(status, bytes, bodyStart, bodyEnd);
        this.#stock = verdict === RIGHT ? shownStock(bytes, bodyEnd) : 0;
        return verdict;
      };
      return { ...request, check };
    });
  }

  next(): Request {
    if (!this.#isQueryNext && this.#stock > 0 && Math.random() < this.#p) {
      this.#isQueryNext = true;
      return this.#orders[this.#toy]!;
    }
    this.#isQueryNext = false;
    this.#toy = Math.floor(Math.random() * this.#queries.length);
    return this.#queries[this.#toy]!;
  }
}

function queryRequest(toy: string, host: string): Request {
  const target = `/products/${encodeURIComponent(toy)}`;
  const text = flat(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return { operation: 'query', text, check: checkStart(`{"data":{"name":${JSON.stringify(toy)},"price":`) };
}

function orderRequest(toy: string, host: string): Request {
  const body = JSON.stringify({ name: toy, quantity: 1 });
  const head = `POST /orders HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
  const text = flat(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  return { operation: 'order', text, check: checkStart('{"data":{"order_number":') };
}

function fixedRequest(path: string, expectedBody: string, host: string): Request {
  const isRightStart = checkStart(expectedBody);
  const expectedBytes = Buffer.byteLength(expectedBody);
  const check: Check = (status, bytes, bodyStart, bodyEnd) =>
    bodyEnd - bodyStart === expectedBytes
      ? isRightStart(status, bytes, bodyStart, bodyEnd)
      : problem(status, bytes, bodyStart, bodyEnd);
  return { operation: 'query', text: flat(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`), check };
}

/** The UTF-8 bytes of a text as characters, in one piece: parts put together would be joined at each sending. */
function flat(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function checkStart(text: string): Check {
  const expected = Buffer.from(text);
  return (status, bytes, bodyStart, bodyEnd) => {
    const expectedEnd = bodyStart + expected.length;
    const isRight =
      status === OK &&
      expectedEnd <= bodyEnd &&
      expected.compare(bytes, bodyStart, expectedEnd, 0, expected.length) === 0;
    return isRight ? RIGHT : problem(status, bytes, bodyStart, bodyEnd);
  };
}

function problem(status: number, bytes: Buffer, bodyStart: number, bodyEnd: number): Verdict {
  return {
    problem: `${status} ${bytes.toString('latin1', bodyStart, Math.min(bodyEnd, bodyStart + QUOTED_BYTES_MAX))}`,
  };
}

/** The number in front of the closing braces of `…"quantity":100}}`. */
function shownStock(bytes: Buffer, bodyEnd: number): number {
  let value = 0;
  let place = 1;
  for (let i = bodyEnd - CLOSING_BYTES - 1; bytes[i]! >= ZERO && bytes[i]! <= ZERO + 9; i--) {
    value += (bytes[i]! - ZERO) * place;
    place *= 10;
  }
  return value;
}
