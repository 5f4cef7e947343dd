// The house rules that a compiler does not know: who may import whom, that nothing is imported in a circle, that a name
// means one thing, and that no file outgrows a reader's patience.
//
//   command      cli.ts, supervisor.ts, run-*.ts, …
//   services     catalog, order, frontend, client          never each other
//   shared       what services of this store have in common
//   libraries    http, lock, metrics, pool, …               never each other, and know nothing of toys
//   ground       tls, and all other files of src/ itself
//
// Each imports only from below, or from its own room. The lists of exceptions may only shrink: one that is not needed any
// more fails.

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import test from 'ava';

const LAYERS = ['ground', 'libraries', 'shared', 'services', 'command'] as const;
type Layer = (typeof LAYERS)[number];

/** Rooms, and single files of src/, by layer; files of src/ that are not named are ground. */
const LAYER_OF: Readonly<Record<string, Layer>> = {
  http: 'libraries',
  lock: 'libraries',
  metrics: 'libraries',
  pool: 'libraries',
  postgres: 'libraries',
  rpc: 'libraries',
  storage: 'libraries',
  tracing: 'libraries',
  tls: 'ground',
  'store-metrics': 'shared',
  'seated-service.ts': 'shared',
  catalog: 'services',
  client: 'services',
  frontend: 'services',
  order: 'services',
  page: 'services',
  'cli.ts': 'command',
  'run-health.ts': 'command',
  'run-service.ts': 'command',
  'run-transfer.ts': 'command',
  'supervised-service.ts': 'command',
  'supervisor.ts': 'command',
};

/** Layers whose rooms may import each other. */
const SOCIABLE: readonly Layer[] = ['ground', 'shared', 'command'];

const LINES_MAX = 300;

/** Files that are longer, with the reason why they are one file all the same. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'src/http/parser/message-parser.ts': 'one pass over a message, whose steps share its state',
  'src/http/server/session.ts': 'the life of one connection, to be read in one place',
  'src/order/order-engine.ts': 'the life of one order, to be read in one place',
  'src/order/postgres-order-log.ts': 'its statements stand beside the code that sends them',
  'src/settings.ts': 'one table of all settings',
  'src/storage/journal.ts': 'the states of one journal, which make sense only together',
};

/** What a library does not know, in its code; its comments may give examples. */
const STORE_WORDS = /\b(toys?|toystore|catalogs?|front-?end|price|purchases?)\b/i;

interface SourceFile {
  /** From the root of the repository: `src/pool/acceptor.ts`. */
  readonly path: string;
  readonly text: string;
  readonly layer: Layer;
  readonly room: string;
  /** Paths of the files that it imports, types included. */
  readonly imports: readonly string[];
}

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']*)\.js'/g;
const COMMENT = /\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm;

const files: ReadonlyMap<string, SourceFile> = new Map(
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readSource(join('src', name)))
    .map((file) => [file.path, file]),
);

function readSource(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  const room = path.split('/')[1]!;
  const imports = [...text.matchAll(IMPORT)].map(([, target]) => normalize(join(dirname(path), `${target}.ts`)));
  return { path, text, room, layer: LAYER_OF[room] ?? 'ground', imports };
}

/** What is wrong with one file's import of another; undefined: nothing. */
function objectionTo(from: SourceFile, to: SourceFile): string | undefined {
  if (from.room === to.room) return undefined;
  const height = LAYERS.indexOf(from.layer) - LAYERS.indexOf(to.layer);
  if (height > 0 || (height === 0 && SOCIABLE.includes(from.layer))) return undefined;
  const why = height < 0 ? `${from.layer} may not import from ${to.layer}` : `${from.layer} do not import each other`;
  return `${from.path} imports ${to.path}: ${why}`;
}

/** Groups of files each of which imports, over others perhaps, every other one (Tarjan's strongly connected components). */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const visit = (name: string): void => {
    order.set(name, order.size);
    lowest.set(name, order.get(name)!);
    path.push(name);
    for (const next of graph.get(name) ?? []) {
      if (!order.has(next)) visit(next);
      if (path.includes(next)) lowest.set(name, Math.min(lowest.get(name)!, lowest.get(next)!));
    }
    if (lowest.get(name) !== order.get(name)) return;
    const circle = path.splice(path.indexOf(name));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const name of graph.keys()) if (!order.has(name)) visit(name);
  return circles.sort();
}

test('imports point down, services and libraries do not import each other', (t) => {
  const objections = [...files.values()].flatMap((from) =>
    from.imports.flatMap((path) => {
      const to = files.get(path);
      return (to === undefined ? undefined : objectionTo(from, to)) ?? [];
    }),
  );
  t.deepEqual(objections, []);
});

test('every room of src has its layer, and libraries import nothing that is generated for the store', (t) => {
  const rooms = new Set([...files.values()].map(({ room }) => room));
  const unknown = [...rooms].filter((room) => !room.endsWith('.ts') && LAYER_OF[room] === undefined);
  t.deepEqual(unknown, []);
  const libraries = [...files.values()].filter(({ layer }) => layer === 'libraries');
  const strangers = libraries.flatMap(({ path, imports }) =>
    imports
      // The health service is gRPC's own.
      .filter((target) => !files.has(target) && !target.startsWith('proto/gen/grpc/'))
      .map((target) => `${path} imports ${target}`),
  );
  t.deepEqual(strangers, []);
});

test('libraries know no service of this store and no toys', (t) => {
  const namings = [...files.values()]
    .filter(({ layer }) => layer === 'libraries')
    .flatMap(({ path, text }) => {
      const word = STORE_WORDS.exec(text.replaceAll(COMMENT, ''))?.[0];
      return word === undefined ? [] : [`${path}: ${word}`];
    });
  t.deepEqual(namings, []);
});

test('no files import each other in a circle, types included', (t) => {
  const graph = new Map([...files.values()].map(({ path, imports }) => [path, imports]));
  t.deepEqual(circlesOf(graph), []);
});

test(`files have at most ${LINES_MAX} lines, or a reason`, (t) => {
  const long = [...files.values()].filter(({ text }) => text.trimEnd().split('\n').length > LINES_MAX);
  t.deepEqual(long.map(({ path }) => path).sort(), Object.keys(LONG_FILES).sort());
});

test('files are named in kebab-case, for what is in them', (t) => {
  const odd = [...files.keys()].filter(
    (path) =>
      !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(basename(path)) || /\b(utils?|helpers?|misc|common)\b/.test(path),
  );
  t.deepEqual(odd, []);
});

const EXPORTED = /^export (?:async )?(?:abstract )?(?:interface|type|class|const|function) (\w+)/gm;
/** Names that several files export, with the reason. */
const SHARED_NAMES: Readonly<Record<string, string>> = {
  createThreadService: 'what the pool looks for in the module of a thread',
  LOCK_TIMEOUT_MS: 'the lock of the toys, and a lock of the database',
  Session: 'a connection to a customer, and one to the database',
};

test('a name is exported by one file, or there is a reason', (t) => {
  const names = [...files.values()].flatMap(({ text }) => [...text.matchAll(EXPORTED)].map(([, name]) => name!));
  const again = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  t.deepEqual([...again].sort(), Object.keys(SHARED_NAMES).sort());
});

const GRAPHS: [name: string, graph: Record<string, string[]>, circles: string[][]][] = [
  ['a tree', { a: ['b', 'c'], b: ['c'], c: [] }, []],
  ['two that import each other', { a: ['b'], b: ['c', 'a'], c: [] }, [['a', 'b']]],
  ['a long way round', { a: ['b'], b: ['c'], c: ['d'], d: ['b'], e: ['a'] }, [['b', 'c', 'd']]],
  [
    'two circles',
    { a: ['b'], b: ['a', 'c'], c: ['d'], d: ['c'] },
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
];

for (const [name, graph, circles] of GRAPHS) {
  test(`circles are found: ${name}`, (t) => t.deepEqual(circlesOf(new Map(Object.entries(graph))), circles));
}

const WRONG: [from: string, to: string, objection: RegExp | undefined][] = [
  ['src/pool/acceptor.ts', 'src/clock.ts', undefined],
  ['src/cli.ts', 'src/supervisor.ts', undefined],
  ['src/log.ts', 'src/pool/index.ts', /ground may not import from libraries/],
  ['src/pool/acceptor.ts', 'src/http/index.ts', /libraries do not import each other/],
  ['src/rpc/index.ts', 'src/catalog/start-catalog.ts', /libraries may not import from services/],
  ['src/order/start-order.ts', 'src/catalog/start-catalog.ts', /services do not import each other/],
  ['src/order/start-order.ts', 'src/run-service.ts', /services may not import from command/],
];

for (const [from, to, objection] of WRONG) {
  test(`${from} imports ${to}: ${objection === undefined ? 'allowed' : 'refused'}`, (t) => {
    const said = objectionTo(files.get(from)!, files.get(to)!);
    if (objection === undefined) t.is(said, undefined);
    else t.regex(said ?? '', objection);
  });
}
