// static-files.ts: the files of a folder, read once when the server starts, and served from memory.
//
//   folder ─ load ─→ file: identity, gzip, br ─→ each with ready headers and body
//                     └─ a route of its own: what was not there when the folder was read has no path that leads to it,
//                        however it is encoded
//
// Conditions are evaluated (If-Match, If-None-Match), with a strong tag for each coding. Range is passed over, as a server
// may (RFC 9110 14.2), and `Accept-Ranges: none` says so: the files are few and small, and a part of a coding of one is of
// no use to anybody who did not get the rest in the same coding. There is no Last-Modified, so conditions on dates are
// none: a date of a deployment says little about contents, and tags say it exactly.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { type ReadyBody, readyBody } from '../server/answer-writer.js';
import type { Exchange, Handler } from '../server/exchange.js';
import { type PreparedHeaders, prepareHeaders } from '../server/prepared-headers.js';
import type { Router } from '../server/router.js';
import { CODINGS, type Coding, chooseCoding } from './content-codings.js';
import { entityTag, namesStrongTag, namesTag } from './entity-tags.js';
import { mediaType } from './media-types.js';

/** A folder that cannot be served: which file, why, and what to do. */
export class StaticFilesError extends Error {
  override readonly name = 'StaticFilesError';
}

export interface StaticFilesOptions {
  /** Paths inside the folder whose content never changes, since a hash of it is part of them: cached for a year. */
  readonly immutable?: RegExp;
  /** Headers of every answer with a file, a policy for example. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** All files together, their compressed forms not counted. They are kept in memory, by each thread. */
const TOTAL_BYTES_MAX = 32 * 1024 * 1024;
/** Smaller files fit a packet as they are. */
const COMPRESSED_BYTES_MIN = 1024;
const YEAR_SECONDS = 31_536_000;
const IMMUTABLE = `public, max-age=${YEAR_SECONDS}, immutable`;
/** May be kept, and is asked for again each time: with its tag, so that mostly a 304 comes back. */
const REVALIDATED = 'no-cache';

/** Compressed forms: what their files are called beside the file itself, and how they are made where there are none. */
const COMPRESSED = {
  br: {
    extension: '.br',
    compress: (content: Buffer) =>
      brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }),
    decompress: brotliDecompressSync,
  },
  gzip: {
    extension: '.gz',
    compress: (content: Buffer) => gzipSync(content, { level: constants.Z_BEST_COMPRESSION }),
    decompress: gunzipSync,
  },
} as const;

/** One coding of a file, ready to be sent. */
interface Variant {
  readonly tag: string;
  readonly body: ReadyBody;
  readonly headers: PreparedHeaders;
  /** Those of them that a 304 repeats (RFC 9110 15.4.5). */
  readonly notModifiedHeaders: PreparedHeaders;
}

interface StaticFile {
  readonly codings: readonly Coding[];
  readonly variants: Readonly<Partial<Record<Coding, Variant>>>;
}

/** The files of one folder and the folders in it. */
export class StaticFiles {
  private readonly files = new Map<string, StaticFile>();

  /**
   * Reads all files, but for those whose name begins with a dot; links are not followed.
   * @throws StaticFilesError
   */
  constructor(
    folder: string,
    private readonly options: StaticFilesOptions = {},
  ) {
    const contents = readFolder(folder);
    for (const [name, content] of contents) {
      if (isCompressedForm(name, contents)) continue;
      this.files.set(name, this.file(name, content, contents));
    }
  }

  /** Paths of the files inside the folder, "/" between their parts. */
  get names(): readonly string[] {
    return [...this.files.keys()];
  }

  /** Serves every file under a path. @param prefix absolute, without a slash at its end */
  addTo(router: Router, prefix: string): void {
    for (const name of this.files.keys()) {
      router.add('GET', `${prefix}/${name}`, this.handler(name), { routeName: `${prefix}/*` });
    }
  }

  /** Serves one file, wherever its route is. @throws StaticFilesError where there is no such file */
  handler(name: string): Handler {
    const file = this.files.get(name);
    if (file === undefined) throw new StaticFilesError(`there is no file ${name} among ${this.names.join(', ')}`);
    return (exchange) => answer(exchange, file);
  }

  private file(name: string, content: Buffer, contents: ReadonlyMap<string, Buffer>): StaticFile {
    const forms = new Map<Coding, Buffer>([['identity', content]]);
    for (const coding of ['br', 'gzip'] as const) {
      const compressed = compressedForm(name, content, coding, contents);
      if (compressed !== undefined) forms.set(coding, compressed);
    }
    const codings = CODINGS.filter((coding) => forms.has(coding));
    const variants = Object.fromEntries(
      codings.map((coding) => [coding, this.variant(name, coding, forms.get(coding)!, codings.length > 1)]),
    );
    return { codings, variants };
  }

  private variant(name: string, coding: Coding, content: Buffer, hasOthers: boolean): Variant {
    const tag = entityTag(content);
    const kept = {
      ETag: tag,
      'Cache-Control': this.options.immutable?.test(name) ? IMMUTABLE : REVALIDATED,
      ...(hasOthers ? { Vary: 'Accept-Encoding' } : {}),
    };
    const headers = prepareHeaders({
      'Content-Type': mediaType(path.extname(name)).contentType,
      ...(coding === 'identity' ? {} : { 'Content-Encoding': coding }),
      ...kept,
      'Accept-Ranges': 'none',
      'X-Content-Type-Options': 'nosniff',
      ...this.options.headers,
    });
    return { tag, body: readyBody(content), headers, notModifiedHeaders: prepareHeaders(kept) };
  }
}

function answer(exchange: Exchange, { codings, variants }: StaticFile): void {
  const coding = chooseCoding(exchange.header('accept-encoding'), codings);
  if (coding === undefined) return exchange.sendError(406, 'none of the codings of this file is acceptable');
  const { tag, body, headers, notModifiedHeaders } = variants[coding]!;
  const ifMatch = exchange.header('if-match');
  if (ifMatch !== undefined && !namesStrongTag(ifMatch, tag)) return exchange.sendError(412, 'If-Match does not hold');
  const ifNoneMatch = exchange.header('if-none-match');
  if (ifNoneMatch !== undefined && namesTag(ifNoneMatch, tag)) exchange.send(304, '', notModifiedHeaders);
  else exchange.sendReady(200, body, headers);
}

/** Contents by path inside the folder. */
function readFolder(folder: string): Map<string, Buffer> {
  const contents = new Map<string, Buffer>();
  let totalBytes = 0;
  const read = (inside: string) => {
    for (const entry of readdirSync(path.join(folder, inside), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const name = path.posix.join(inside, entry.name);
      if (entry.isDirectory()) read(name);
      if (!entry.isFile()) continue;
      if (entry.name.startsWith(':'))
        throw new StaticFilesError(`${name}: a name that begins with ":" cannot be served`);
      const content = readFileSync(path.join(folder, name));
      totalBytes += content.length;
      if (totalBytes > TOTAL_BYTES_MAX) {
        throw new StaticFilesError(`${folder} has more than ${TOTAL_BYTES_MAX} bytes, too much to keep in memory`);
      }
      contents.set(name, content);
    }
  };
  try {
    read('');
  } catch (cause) {
    if (cause instanceof StaticFilesError) throw cause;
    throw new StaticFilesError(`cannot read the files to serve from ${folder}: ${(cause as Error).message}`, { cause });
  }
  return contents;
}

function isCompressedForm(name: string, contents: ReadonlyMap<string, Buffer>): boolean {
  return Object.values(COMPRESSED).some(
    ({ extension }) => name.endsWith(extension) && contents.has(name.slice(0, -extension.length)),
  );
}

/** The file beside `name` that has it compressed, or one made now; undefined where that gains nothing. */
function compressedForm(
  name: string,
  content: Buffer,
  coding: keyof typeof COMPRESSED,
  contents: ReadonlyMap<string, Buffer>,
): Buffer | undefined {
  const { extension, compress, decompress } = COMPRESSED[coding];
  const ready = contents.get(name + extension);
  if (ready === undefined) {
    if (!mediaType(path.extname(name)).isCompressible || content.length < COMPRESSED_BYTES_MIN) return undefined;
    const made = compress(content);
    return made.length < content.length ? made : undefined;
  }
  if (!isSameContent(() => decompress(ready), content)) {
    throw new StaticFilesError(`${name}${extension} is not what ${name} is, compressed: make it again, or remove it`);
  }
  return ready;
}

function isSameContent(decompress: () => Buffer, content: Buffer): boolean {
  try {
    return decompress().equals(content);
  } catch {
    return false;
  }
}
