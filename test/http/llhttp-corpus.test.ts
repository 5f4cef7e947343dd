// The cases of nodejs/llhttp's own tests, run through our parsers: whole, byte by byte and cut in two at every place.
//
// The file lies outside the repository: TOYSTORE_CORPORA names its folder, "../shared/corpora" by default. Without it the
// test is skipped and says so. Where this project follows another rule than llhttp, the case is in
// llhttp-differences.ts with that rule; a case that is listed and does not differ fails, so the list stays true.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DIFFERENCES, LENIENCIES } from './llhttp-differences.js';
import { readRequests, readResponses, sameHoweverCut } from './read-messages.js';

interface CorpusCase {
  readonly file: string;
  readonly line: number;
  readonly title: string;
  readonly type: 'request' | 'response';
  readonly mode: 'strict' | 'lenient';
  readonly lenient_flags: readonly string[];
  readonly raw: string;
  readonly outcome: string;
  readonly finish: boolean;
  readonly skip_body: boolean;
  readonly messages_begun: number;
  readonly events: readonly { readonly event?: string; readonly span?: string; readonly value?: string }[];
}

const FILE = path.resolve(process.env.TOYSTORE_CORPORA ?? '../shared/corpora', 'llhttp-cases.json');

function placeOf({ file, line }: CorpusCase): string {
  return `${path.basename(path.dirname(file))}/${path.basename(file)}:${line}`;
}

/** What llhttp's events say, in the words of read-messages.ts; an error without its code, since the lists of codes differ. */
function expectedLines({ events, outcome }: CorpusCase): string[] {
  const lines: string[] = [];
  let spans: Record<string, string> = {};
  let fields: string[] = [];
  let body = '';
  for (const { event = '', span, value = '' } of events) {
    if (span === 'body') body += latin1(value);
    else if (event.endsWith('span[body]=cr')) body += '\r';
    else if (event.endsWith('span[body]=lf')) body += '\n';
    else if (span !== undefined) spans[span] = (spans[span] ?? '') + value;
    if (event === 'message begin') {
      spans = {};
      fields = [];
    } else if (event === 'header_value complete') {
      fields.push(`${spans.header_field ?? ''}: ${latin1((spans.header_value ?? '').trim())}`);
      spans.header_field = '';
      spans.header_value = '';
    } else if (event.startsWith('headers complete')) {
      const status = /status=(\d+)/.exec(event)?.[1];
      const method = spans.method;
      lines.push(
        method === undefined ? `HTTP/${spans.version} ${status}` : `${method} ${spans.url} HTTP/${spans.version}`,
      );
      lines.push(...fields);
    } else if (event === 'message complete') {
      if (body !== '') lines.push(`body ${JSON.stringify(body)}`);
      body = '';
      lines.push('end');
    }
  }
  if (body !== '') lines.push(`body ${JSON.stringify(body)}`);
  if (outcome === 'error' || outcome === 'eof-error') lines.push('error');
  return lines;
}

/** The corpus shows bytes as UTF-8 and its own escapes, read-messages.ts as one character each. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** llhttp announces a head before it looks at its framing, and we do not: what we said before an error is what it said too. */
function isSame(ours: string[], expected: string[]): boolean {
  if (expected.at(-1) !== 'error') return JSON.stringify(ours) === JSON.stringify(expected);
  return ours.at(-1) === 'error' && ours.slice(0, -1).every((line, index) => line === expected[index]);
}

function ourLines(t: ExecutionContext, corpusCase: CorpusCase): string[] {
  const { type, mode, raw, finish, skip_body, messages_begun, outcome } = corpusCase;
  let text = Buffer.from(raw, 'base64').toString('latin1');
  // We judge a line when it has come: one that is to be refused, and is left open in the case, is ended.
  const isRefused = mode === 'lenient' || outcome === 'error' || DIFFERENCES[placeOf(corpusCase)]?.ours === 'refused';
  if (isRefused && !text.endsWith('\n')) text += '\r\n';
  const methods = Array.from({ length: messages_begun + 1 }, () => (skip_body ? 'HEAD' : 'GET'));
  const lines = sameHoweverCut(t, text, (pieces) =>
    type === 'request' ? readRequests(pieces, {}, finish) : readResponses(pieces, methods, {}, finish),
  );
  return lines.map((line) => (line.startsWith('error ') ? 'error' : line));
}

if (existsSync(FILE)) {
  const { cases } = JSON.parse(readFileSync(FILE, 'utf8')) as { cases: CorpusCase[] };

  for (const corpusCase of cases) {
    const { mode, title, lenient_flags } = corpusCase;
    const place = placeOf(corpusCase);
    test(`${place} ${mode} ${lenient_flags.join(' ')} ${title}`, (t) => {
      const ours = ourLines(t, corpusCase);
      const expected = expectedLines(corpusCase);
      const isRefused = ours.at(-1) === 'error';
      if (mode === 'lenient') {
        for (const flag of lenient_flags) t.truthy(LENIENCIES[flag], `no reason for refusing what "${flag}" allows`);
        t.true(isRefused || isSame(ours, expected), 'neither refused nor read as llhttp does');
        return;
      }
      const difference = DIFFERENCES[place];
      if (difference === undefined) {
        if (!isSame(ours, expected)) t.deepEqual(ours, expected);
        t.pass();
        return;
      }
      t.false(isSame(ours, expected), 'listed as a difference, and there is none');
      t.is(isRefused, difference.ours === 'refused');
    });
  }

  test.serial('every difference names a case', (t) => {
    const places = new Set(cases.filter(({ mode }) => mode === 'strict').map(placeOf));
    t.deepEqual(
      Object.keys(DIFFERENCES).filter((place) => !places.has(place)),
      [],
    );
  });
} else {
  test.skip(`the cases of llhttp's own tests; skipped: they are not at ${FILE}, see TOYSTORE_CORPORA`, (t) => t.pass());
}
