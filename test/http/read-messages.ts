// read-messages.ts: runs a parser over bytes cut in some way and writes down what it said, as lines people can compare.
//
//   GET /products/Tux HTTP/1.1 | Host: a | end              adjoining pieces of a body are one line, so that the lines
//   POST /orders HTTP/1.1 | Host: a | body "ab" | end       do not depend on how the bytes were cut
import type { ExecutionContext } from 'ava';
import { type HttpLimits, httpLimits, RequestParser, ResponseParser } from '../../src/http/index.js';

/** How bytes reach the parser. */
export type Cutting = (bytes: Buffer) => Buffer[];

export const whole: Cutting = (bytes) => [bytes];
export const byteByByte: Cutting = (bytes) => [...bytes].map((byte) => Buffer.from([byte]));
export const cutAt =
  (index: number): Cutting =>
  (bytes) => [bytes.subarray(0, index), bytes.subarray(index)];

/** What a run of a request parser says. @param isFinished whether the end of input follows the bytes */
export function readRequests(pieces: Buffer[], limits: Partial<HttpLimits> = {}, isFinished = false): string[] {
  const parser = new RequestParser(httpLimits(limits));
  return run(parser, pieces, isFinished, () => {
    const { head } = parser;
    return [`${head.method} ${head.target} HTTP/1.${head.versionMinor}`, ...fieldLines(head)];
  });
}

/** What a run of a response parser says. @param methods of the requests that are answered */
export function readResponses(
  pieces: Buffer[],
  methods: string[] = ['GET'],
  limits: Partial<HttpLimits> = {},
  isFinished = false,
): string[] {
  const parser = new ResponseParser(httpLimits(limits));
  for (const method of methods) parser.expect(method);
  return run(parser, pieces, isFinished, () => [
    `HTTP/1.${parser.head.versionMinor} ${parser.head.status}`,
    ...fieldLines(parser.head),
  ]);
}

/** Checks that bytes give the same lines whole, byte by byte and cut in two at every place. */
export function sameHoweverCut(t: ExecutionContext, text: string, read: (pieces: Buffer[]) => string[]): string[] {
  const bytes = Buffer.from(text, 'latin1');
  const lines = read(whole(bytes));
  t.deepEqual(read(byteByByte(bytes)), lines, 'byte by byte');
  for (let index = 1; index < bytes.length; index++) t.deepEqual(read(cutAt(index)(bytes)), lines, `cut at ${index}`);
  t.deepEqual(read(whole(bytes)), lines, 'once more, when the memo may know the fields');
  return lines;
}

interface AnyParser {
  readonly bytes: Buffer;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  readonly error: { readonly code: string } | undefined;
  feed(bytes: Buffer): void;
  finish(): void;
  next(): string;
}

function run(parser: AnyParser, pieces: Buffer[], isFinished: boolean, headLines: () => string[]): string[] {
  const lines: string[] = [];
  let body = '';
  const drain = (): boolean => {
    for (;;) {
      const event = parser.next();
      if (event === 'body') {
        body += parser.bytes.toString('latin1', parser.bodyStart, parser.bodyEnd);
        continue;
      }
      if (event === 'need-more') return true;
      if (body !== '') lines.push(`body ${JSON.stringify(body)}`);
      body = '';
      if (event === 'head') lines.push(...headLines());
      if (event === 'end') lines.push('end');
      if (event === 'error') {
        lines.push(`error ${parser.error?.code}`);
        return false;
      }
    }
  };
  for (const piece of pieces) {
    // A copy, as sockets give: what is fed must not depend on its neighbours in memory.
    parser.feed(Buffer.from(piece));
    if (!drain()) return lines;
  }
  if (isFinished) {
    parser.finish();
    drain();
  }
  if (body !== '') lines.push(`body ${JSON.stringify(body)}`);
  return lines;
}

function fieldLines(head: RequestParser['head'] | ResponseParser['head']): string[] {
  return Array.from(
    { length: head.fields.count },
    (_, index) => `${head.fields.name(index)}: ${head.fields.value(index)}`,
  );
}
