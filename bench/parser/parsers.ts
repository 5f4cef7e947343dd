// parsers.ts: parsers behind one function each: read a message, say how many fields and body bytes were in it.
//
// Each delivers what it delivers to its users: Node's binding hands over strings for the target and all headers, so ours
// makes all of them too.

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { RequestParser } from '../../src/http/index.js';

/** What was found, summed up over all messages read so far. */
export interface Tally {
  messages: number;
  fields: number;
  bodyBytes: number;
  /** Characters or bytes of everything delivered, so that nobody's work can be left out by a compiler. */
  size: number;
}

export interface Parser {
  readonly name: string;
  /** Reads one message that is whole in `bytes`. */
  read(bytes: Buffer): void;
  readonly tally: Tally;
}

/** This checkout's, or that of another one. */
export function ourParser(name = 'toystore', ParserClass = RequestParser): Parser {
  const parser = new ParserClass();
  const tally = newTally();
  return {
    name,
    tally,
    read: (bytes) => {
      parser.feed(bytes);
      for (;;) {
        const event = parser.next();
        if (event === 'head') {
          const { head } = parser;
          const { fields } = head;
          tally.size += head.method.length + head.target.length;
          for (let index = 0; index < fields.count; index++) {
            tally.size += fields.name(index).length + fields.value(index).length;
          }
          tally.fields += fields.count;
        } else if (event === 'body') tally.bodyBytes += parser.bodyEnd - parser.bodyStart;
        else if (event === 'end') tally.messages++;
        else if (event === 'need-more') return;
        else throw new Error(`refused: ${parser.error?.code}`);
      }
    },
  };
}

/** The parser of a built checkout of another commit. */
export async function baselineParser(root: string): Promise<Parser> {
  const file = path.join(root, 'dist', 'src', 'http', 'index.js');
  const other = (await import(pathToFileURL(file).href)) as { RequestParser: typeof RequestParser };
  return ourParser('baseline', other.RequestParser);
}

/** Node's own binding, as far as it is used here. */
interface NodeParser {
  initialize(type: number, resource: object): void;
  execute(bytes: Buffer): number | Error;
  [callback: number]: unknown;
}

interface NodeParserClass {
  new (): NodeParser;
  readonly REQUEST: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

/** llhttp, as Node's HTTP server calls it. */
export function nodeParser(): Parser {
  process.noDeprecation = true; // of process.binding(), the only way to Node's parser
  const { binding } = process as unknown as { binding(name: string): { HTTPParser: NodeParserClass } };
  const { HTTPParser } = binding('http_parser');
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  const tally = newTally();
  parser[HTTPParser.kOnHeadersComplete] = (_: number, __: number, headers: string[], ___: number, url: string) => {
    for (let index = 0; index < headers.length; index++) tally.size += headers[index]!.length;
    tally.fields += headers.length / 2;
    tally.size += url.length;
    return 0;
  };
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    tally.bodyBytes += bytes.length;
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    tally.messages++;
  };
  return {
    name: 'llhttp',
    tally,
    read: (bytes) => {
      const outcome = parser.execute(bytes);
      if (typeof outcome !== 'number') throw outcome;
    },
  };
}

function newTally(): Tally {
  return { messages: 0, fields: 0, bodyBytes: 0, size: 0 };
}
