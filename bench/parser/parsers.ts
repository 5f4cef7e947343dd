// parsers.ts: four parsers behind one function each: read a message, say how many fields and body bytes were in it.
//
// Each delivers what it delivers to its users: Node's binding and http-parser-js hand over strings for the target and all
// headers, so ours makes all of them too; undici takes ranges of the buffer from its llhttp in WebAssembly and makes
// strings of some of them later, so there a buffer is made for each and no string.
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { RequestParser as OurParser } from '../../src/http/index.js';

/** What was found, summed up over all messages read so far. */
export interface Tally {
  messages: number;
  fields: number;
  bodyBytes: number;
  /** Characters or bytes of everything delivered, so that nobody's work can be left out by a compiler. */
  size: number;
}

export interface ReadMessages {
  readonly name: string;
  /** Reads one message that is whole in `bytes`. */
  read(bytes: Buffer): void;
  readonly tally: Tally;
}

const require = createRequire(import.meta.url);

/** @param RequestParser ours, or that of another checkout */
function ourParser(name: string, RequestParser: typeof OurParser): ReadMessages {
  const parser = new RequestParser();
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

/** The API of Node's binding, which http-parser-js has copied. */
interface NodeParser {
  initialize?(type: number | string, resource: object): void;
  execute(bytes: Buffer, start?: number, length?: number): number | Error;
  [callback: number]: unknown;
}

interface NodeParserClass {
  new (type?: number | string): NodeParser;
  readonly REQUEST: number | string;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

function nodeLlhttp(): ReadMessages {
  process.noDeprecation = true; // of process.binding(), the only way to Node's parser
  const { binding } = process as unknown as { binding(name: string): { HTTPParser: NodeParserClass } };
  const { HTTPParser } = binding('http_parser');
  return nodeStyle('llhttp, in Node', HTTPParser, (parser) => parser.initialize!(HTTPParser.REQUEST, {}));
}

function httpParserJs(): ReadMessages {
  const { HTTPParser } = require('http-parser-js') as { HTTPParser: NodeParserClass & { readonly kOnExecute: number } };
  void HTTPParser.kOnExecute; // looking at it switches to the callbacks of today's Node
  return nodeStyle('http-parser-js', HTTPParser, () => {});
}

function nodeStyle(name: string, HTTPParser: NodeParserClass, initialize: (parser: NodeParser) => void): ReadMessages {
  const parser = new HTTPParser(HTTPParser.REQUEST);
  initialize(parser);
  const tally = newTally();
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    headers: string[],
    _method: number,
    url: string,
  ) => {
    for (let index = 0; index < headers.length; index++) tally.size += headers[index]!.length;
    tally.fields += headers.length / 2;
    tally.size += url.length;
    return 0;
  };
  // Older versions hand over the chunk with a range in it, newer ones the range itself.
  parser[HTTPParser.kOnBody] = (bytes: Buffer, _start?: number, length?: number) => {
    tally.bodyBytes += length ?? bytes.length;
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    tally.messages++;
  };
  return {
    name,
    tally,
    read: (bytes) => {
      const outcome = parser.execute(bytes, 0, bytes.length);
      if (typeof outcome !== 'number') throw outcome;
    },
  };
}

/** What Node has of WebAssembly and its types leave to those of browsers, as far as it is used here. */
interface WebAssemblyGlobal {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

/** The exports of undici's module that are used here. */
interface LlhttpExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  llhttp_alloc(type: number): number;
  llhttp_execute(parser: number, bytes: number, length: number): number;
  malloc(bytes: number): number;
}

const LLHTTP_REQUEST = 1;
const WASM_BUFFER_BYTES = 64 * 1024;

function undiciLlhttp(): ReadMessages {
  const tally = newTally();
  let chunk: Buffer = Buffer.alloc(0);
  let base = 0;
  const take = (at: number, length: number): Buffer => chunk.subarray(at - base, at - base + length);
  const ignore = (): number => 0;
  const takeText = (_parser: number, at: number, length: number): number => {
    tally.size += take(at, length).length;
    return 0;
  };
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyGlobal };
  const module = new WebAssembly.Module(require('undici/lib/llhttp/llhttp_simd-wasm.js') as Uint8Array);
  const { exports } = new WebAssembly.Instance(module, {
    env: {
      wasm_on_message_begin: ignore,
      wasm_on_status: ignore,
      wasm_on_url: takeText,
      wasm_on_header_field: takeText,
      wasm_on_header_value: (parser: number, at: number, length: number) => {
        tally.fields++;
        return takeText(parser, at, length);
      },
      wasm_on_headers_complete: ignore,
      wasm_on_body: (_parser: number, at: number, length: number) => {
        tally.bodyBytes += take(at, length).length;
        return 0;
      },
      wasm_on_message_complete: () => {
        tally.messages++;
        return 0;
      },
    },
  });
  const llhttp = exports as unknown as LlhttpExports;
  const parser = llhttp.llhttp_alloc(LLHTTP_REQUEST);
  base = llhttp.malloc(WASM_BUFFER_BYTES);
  const memory = new Uint8Array(llhttp.memory.buffer, base, WASM_BUFFER_BYTES);
  return {
    name: 'llhttp, in undici',
    tally,
    read: (bytes) => {
      chunk = bytes;
      memory.set(bytes);
      const code = llhttp.llhttp_execute(parser, base, bytes.length);
      if (code !== 0) throw new Error(`llhttp's error ${code}`);
    },
  };
}

function newTally(): Tally {
  return { messages: 0, fields: 0, bodyBytes: 0, size: 0 };
}

/** The parser of a built checkout of another commit. */
export async function baselineParser(root: string): Promise<ReadMessages> {
  const file = path.join(root, 'dist', 'src', 'http', 'index.js');
  const { RequestParser } = (await import(pathToFileURL(file).href)) as { RequestParser: typeof OurParser };
  return ourParser('baseline', RequestParser);
}

/** The parsers that are compared. */
export const PARSERS = {
  'llhttp, in Node': nodeLlhttp,
  toystore: () => ourParser('toystore', OurParser),
  'llhttp, in undici': undiciLlhttp,
  'http-parser-js': httpParserJs,
} satisfies Record<string, () => ReadMessages>;
export type ParserName = keyof typeof PARSERS;
