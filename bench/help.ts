// help.ts: every word that `npm run bench -- … --help` prints. It imports nothing, so that the launcher can answer
// `--help` before the benchmarks' own packages are installed.

/** The scenarios in the order in which a default run goes through them; `inDefaultRun` says whether it does. */
export const SCENARIOS = {
  clients: {
    measures: 'store',
    inDefaultRun: true,
    summary: 'latency of queries and of orders, apart, from 1 to 5 clients and on to 256',
    detail: `Each client is one connection and one session: query a random toy; if some are left, order it with
probability 0.4 on the same connection. Closed loop: a client waits for each answer.
  --clients 1,2,3,4,5,8,…   how many clients, one point each`,
  },
  probability: {
    measures: 'store',
    inDefaultRun: true,
    summary: 'the same sessions, 5 clients, order probability from 0 to 0.8',
    detail: `A client queries a random toy and, with that probability, orders it on the same connection.
Closed loop.
  --p 0,0.2,0.4,0.6,0.8     the probabilities, one point each`,
  },
  rate: {
    measures: 'store',
    inDefaultRun: true,
    summary: 'open loop: requests leave on a schedule, latency from the intended time',
    detail: `64 connections. In each round the top rate is measured in a closed loop, then fixed shares of it
are offered, for queries and for durable orders apart. What could not be sent in time is reported.
Bars: at half of the top rate a p99 of 10 ms for queries and of 25 ms for durable orders.
  --rates 1000,5000,…       requests per second, in place of shares of the top rate`,
  },
  http: {
    measures: 'part',
    inDefaultRun: true,
    summary: 'the HTTP server alone, beside node:http and a raw socket',
    detail: `One thread, one constant JSON answer, 32 keep-alive connections, one request at a time and
pipelined: answers per second, and the processor time that each took the server.
Bars: 0.9 of the raw socket, 1.8 times node:http, pipelined five times node:http.`,
  },
  parser: {
    measures: 'part',
    inDefaultRun: true,
    summary: 'the HTTP parser, beside llhttp',
    detail: `Nanoseconds for method, target and all headers of a small GET, of curl's POST, of a browser's
request, and of one whose headers change every time.
Bars: a fifth of llhttp's time for the small GET, and less than all of it on the others; with
--baseline at least 0.95 of the speed of that checkout's.
  --baseline DIR            a built checkout of another commit, whose parser is measured too`,
  },
  pool: {
    measures: 'part',
    inDefaultRun: true,
    summary: 'the thread pool: connections per second, beside node:cluster',
    detail: `Connections with one request each, 32 at a time, on two threads.
Bar: as many connections as node:cluster, for no more processor time.`,
  },
  lock: {
    measures: 'part',
    inDefaultRun: true,
    summary: 'the shared reader-writer lock, while nobody else wants it',
    detail: `Nanoseconds to take a free lock and give it back, beside a bare pair of compareExchange.
Bar: 2.5 times the bare pair.`,
  },
  overload: {
    measures: 'part',
    inDefaultRun: true,
    summary: 'what 60,000 calls that wait for a catalog that is away cost their thread',
    detail: `Finds of 60,000 different names by one batch stream to a port where nobody listens, and the
event-loop utilization of its thread while they wait, beside that without a call.
Bar: 5 % of the thread.`,
  },
  durable: {
    measures: 'store',
    inDefaultRun: true,
    summary: 'durable orders per second, and orders per fdatasync, beside one sync for each',
    detail: `Orders over keep-alive connections, closed loop, six toys in turn. Beside the store: Fastify over
unary grpc-js calls (bench/peers), catalog and order each appending a line and waiting for an
fdatasync of its own for each order. Orders per fdatasync are counted by the store's catalog itself.
Bar: five times that peer at 64 connections.
  --connections 1,8,64,256  how many keep-alive connections, one point each`,
  },
  compare: {
    measures: 'store',
    inDefaultRun: true,
    summary: 'the whole store beside its peers, rounds interleaved, medians and ratios',
    detail: `The peers are bench/peers: Fastify over unary grpc-js calls, and the raw-socket floor.
Named, and not quick, it also takes the store alone to 4, 16, 256 and 1,000 connections: does its
throughput hold?
Bars: 15 times Fastify's queries and 8 times its orders at 64 connections, a third of its median
query at one; from 1 to 1,000 connections no throughput under four fifths of the best before it.
(\`compare rate durable\` shows all bars for speed in one run.)
  --connections 1,64        how many keep-alive connections, for every store`,
  },
  recovery: {
    measures: 'part',
    inDefaultRun: false,
    summary: 'start over a million orders and over a million toys: time and memory',
    detail: `The whole store, from its start to the line that says ready. Two minutes: a store sells the
million orders first.
Bars: 5 s over a million orders, and over a million toys.`,
  },
  docker: {
    measures: 'started',
    inDefaultRun: false,
    summary: 'the clients scenario twice on this machine: bare, and in containers',
    detail: `Needs a Docker daemon and docker-compose; starts and stops the three containers itself.
  --clients 1,2,3,4,5,16,64 how many clients, one point each`,
  },
  postgres: {
    measures: 'started',
    inDefaultRun: false,
    summary: 'the store over PostgreSQL, beside one stored-function call for each order',
    detail: `Durable orders through HTTP and finds; beside the same HTTP server with one call of a
stored function for each order over 32 connections, beside pgbench with that function alone, and
beside the files. The function keeps what the API promises (keys, numbers without a gap); pgbench
with a function that takes its numbers from a sequence is shown too. Then sessions of 5 clients,
over PostgreSQL and over files.
Bars: five times the usual design and four times pgbench with 32 clients, at 64 connections; a
median of twice the function's own at one; finds at 0.95 of those over files.
  --p 0,0.2,0.4,0.6,0.8     the probabilities of the sessions
Needs PostgreSQL (apt-get install postgresql).`,
  },
  idle: {
    measures: 'started',
    inDefaultRun: false,
    summary: 'what 5,000 idle connections cost the front end, in processor time and memory',
    detail: `Over ten seconds, from /proc, beside the same with none. Needs \`ulimit -n 5200\`.
Bar: 2 % of a core.`,
  },
  cache: {
    measures: 'started',
    inDefaultRun: false,
    summary: 'finds that the front end holds: on and off, beside /healthz, and a store just started',
    detail: `The same store twice, with CACHE_TOYS and with CACHE_TOYS=0: finds at 64 and at 1 connection, orders
at 64, and 5 clients' sessions with each probability of an order. Then stores that were just started
by \`npm start\`: the time until they are ready, and the first 1,000 requests of each of 5 clients.
Bars: finds at 0.9 of the speed of /healthz and at one connection 1.2 times its median; with the
cache never under 0.95 of without, orders 0.97, at p 0.2 at least 1.5 times; ready in 1.8 s; the
first requests twice as fast as those of --baseline.
  --baseline DIR            a built checkout of another commit, for the store just started
  --p 0,0.2,0.4,0.6,0.8     the probabilities`,
  },
  watchers: {
    measures: 'store',
    inDefaultRun: false,
    summary: 'finds while ten people look at the page, beside finds while nobody does',
    detail: `Finds at 64 connections of one store, ten streams of /live open in every other round.
Bar: 0.98 of the finds that nobody watches.`,
  },
  baseline: {
    measures: 'started',
    inDefaultRun: false,
    summary: 'this checkout beside that of another commit, two stores of each, rounds interleaved',
    detail: `Finds and orders at 64 connections, orders at one, sessions of 5 clients.
Bars: orders 1.15 times at 64 connections and 0.85 of their median at one, finds 0.97, sessions 1.2
times.
  --baseline DIR            a built checkout of another commit`,
  },
} as const;

/** The name of a scenario, as typed on the command line. */
export type ScenarioName = keyof typeof SCENARIOS;

const QUICK = '  --quick                   short rounds of the main cases: to see that all works, not to judge by';
const STORES = `  --threads N               THREADS for the stores started here (default: the store's own)
  --set NAME=VALUE          any setting of theirs, as --set DURABILITY=periodic; may be repeated.
                            Nothing is taken from the environment`;
const COMMON = `  --rounds N                how many rounds, where a scenario has interleaved ones
  --out DIR                 where the results go (default: bench/results/<time>)
  --help                    this, or with a scenario's name in front: about that scenario`;
const URL = '  --url http://host:port    measure a store that is already running';
const BASELINE = '  --baseline DIR            a built checkout of another commit, to measure beside this one';

/** The options that mean something to a scenario, by what it measures. */
const OPTIONS = {
  store: [QUICK, URL, STORES, COMMON].join('\n'),
  started: [QUICK, STORES, COMMON].join('\n'),
  part: [QUICK, COMMON].join('\n'),
} as const;

/** What `npm run bench -- --help` prints. */
export function benchHelp(): string {
  const names = Object.entries(SCENARIOS);
  const list = names.map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`).join('\n');
  const separate = names.filter(([, { inDefaultRun }]) => !inDefaultRun).map(([name]) => name);
  return `Usage: npm run bench -- [scenario …] [options]
       npm run bench -- evaluation [step …]
       npm run bench -- test

Measures the store and its parts, prints a summary, and writes a report (HTML, JSON, SVG, Markdown).
Without one: a quick look at all but ${separate.join(', ')}.
A scenario that is named takes longer, until its figures are steady.

Scenarios:
${list}
  evaluation   every run of docs/evaluation.md, its plots into docs/evaluation, its tables printed:
               some forty minutes
  test         the tests of the benchmarks themselves

Options (of all; those of a scenario: npm run bench -- <scenario> --help):
${OPTIONS.store}
${BASELINE}

A bar is what the project asks of its own figures. One that is missed says something of the store
only on a quiet machine and not in a quick run: elsewhere it reads "not judged", with the reason.
Ctrl-C ends the run early and keeps what was measured. The last line printed is the report's path.`;
}

/** What `npm run bench -- <scenario> --help` prints. */
export function scenarioHelp(name: ScenarioName): string {
  const { summary, detail, measures } = SCENARIOS[name];
  return `Usage: npm run bench -- ${name} [options]

${name}: ${summary}.

${detail}

Options:
${OPTIONS[measures]}`;
}

/** What `npm run profile -- --help` prints. */
export function profileHelp(): string {
  return `Usage: npm run profile -- <tool> [options]

Runs the store under a profiler, with a load that the command brings itself, and prints the result's
path.

Tools:
  threads        V8 CPU profiles of every thread of every service, and where most time goes
  doctor         clinic doctor: event loop, CPU, memory, handles of one service
  flame          clinic flame: where one service's CPU time goes
  heapprofiler   clinic heapprofiler: who allocates in one service

Options:
  --service NAME   frontend (default), catalog or order; clinic's tools watch one service
  --seconds N      how long the load runs (default 10)
  --clients N      connections of the load (default 32)
  --p P            probability of an order after a query (default 0.4)
  --out DIR        where the results go (default: bench/results/<time>-profile)

clinic sees a service's main thread only, so the watched service runs with THREADS=0, which serves
everything there; \`threads\` sees them all as they normally run. clinic's bubbleprof is left out: it
hangs on current versions of Node. What it would show, where requests wait, is in the store's
/metrics: queues, batches, syncs (docs/operations.md). clinic is installed on first use, into
bench/clinic.`;
}
