// tables.ts: the tables of docs/evaluation.md, as Markdown, from the results of the steps. What they mean is for the
// page to say; this only saves copying figures by hand.

import { formatBar, formatReached, isBarReached } from '../report/words.js';
import type { BenchResults, Figure, Row } from '../run/results.js';

/** The results of each step that was measured, by its name. */
export type StepResults = ReadonlyMap<string, BenchResults>;

type Quantity = 'p50' | 'p99' | 'throughput';
/** Which row a cell is of, and what of it. */
type Cell = readonly [step: string, match: Partial<Row>, quantity: Quantity];

const SIGNIFICANT_DIGITS = 3;
const PLAIN_FROM_MS = 100;

/** Every table whose steps are there. */
export function renderTables(results: StepResults): string {
  const sections: [title: string, table: string][] = [
    ['One to five clients', byKey(results, 'clients', 'clients', bothKinds('clients'))],
    ['What durability costs', durability(results)],
    ['The probability of an order', byKey(results, 'probability', 'p', bothKinds('probability'))],
    ['One thread per connection, or shared threads', threads(results)],
    ['Bare against Docker', docker(results)],
    ['Beside its peers', compare(results)],
    ['From 1 to 1,000 connections', sweep(results)],
    ['At a fixed rate', rate(results)],
    ['What group commit gives', durable(results)],
    ['Start and recovery', figures(results, 'recovery')],
    ['Bars', bars(results)],
  ];
  const machines = [...results].map(([name, { machine, startedAt, seconds, command }]) => {
    return `- ${name}: \`${command}\`, ${startedAt}, ${Math.round(seconds)} s, Node.js ${machine.node}, commit ${machine.commit}`;
  });
  const parts = sections.filter(([, table]) => table !== '').map(([title, table]) => `## ${title}\n\n${table}`);
  return `${[machines.join('\n'), ...parts].join('\n\n')}\n`;
}

type ColumnsOf = (key: Partial<Row>) => readonly (readonly [head: string, cell: Cell])[];

function bothKinds(step: string): ColumnsOf {
  return (key) => [
    ['query p50', [step, { ...key, operation: 'query' }, 'p50']],
    ['query p99', [step, { ...key, operation: 'query' }, 'p99']],
    ['queries/s', [step, { ...key, operation: 'query' }, 'throughput']],
    ['order p50', [step, { ...key, operation: 'order' }, 'p50']],
    ['order p99', [step, { ...key, operation: 'order' }, 'p99']],
    ['orders/s', [step, { ...key, operation: 'order' }, 'throughput']],
  ];
}

function durability(results: StepResults): string {
  return byKey(results, 'commit', 'clients', (key) => {
    const order = { ...key, operation: 'order' } as const;
    return (['p50', 'p99', 'throughput'] as const).flatMap((quantity) => [
      [`order ${quantity}, commit`, ['commit', order, quantity]] as const,
      ['periodic', ['periodic', order, quantity]] as const,
    ]);
  });
}

function threads(results: StepResults): string {
  const steps = ['own-thread', 'five-shared', 'two-shared'] as const;
  return byKey(results, 'own-thread', 'clients', (key) => [
    ...steps.map((step) => [`query p50: ${step}`, [step, { ...key, operation: 'query' }, 'p50']] as const),
    ...steps.map((step) => [`queries/s: ${step}`, [step, { ...key, operation: 'query' }, 'throughput']] as const),
    ...steps.map((step) => [`orders/s: ${step}`, [step, { ...key, operation: 'order' }, 'throughput']] as const),
  ]);
}

function docker(results: StepResults): string {
  return byKey(results, 'docker', 'clients', (key) =>
    (['query', 'order'] as const).flatMap((operation) =>
      (['bare', 'docker'] as const).map(
        (variant) => [`${operation} p50, ${variant}`, ['docker', { ...key, operation, variant }, 'p50']] as const,
      ),
    ),
  );
}

function compare(results: StepResults): string {
  return byKey(
    results,
    'speed',
    'subject',
    (key) => {
      const of = (operation: Row['operation'], clients: number, quantity: Quantity): Cell => [
        'speed',
        { ...key, scenario: 'compare', operation, clients },
        quantity,
      ];
      return [
        ['queries/s, 1 connection', of('query', 1, 'throughput')],
        ['64', of('query', 64, 'throughput')],
        ['p50, 1 connection', of('query', 1, 'p50')],
        ['orders/s, 1 connection', of('order', 1, 'throughput')],
        ['64', of('order', 64, 'throughput')],
        ['p50, 1 connection', of('order', 1, 'p50')],
      ];
    },
    'compare',
  );
}

function sweep(results: StepResults): string {
  return byKey(
    results,
    'speed',
    'clients',
    (key) =>
      (['query', 'order'] as const).flatMap((operation) => {
        const row = { ...key, scenario: 'compare', subject: 'toystore', operation };
        return [
          [operation === 'query' ? 'queries/s' : 'orders/s', ['speed', row, 'throughput']] as const,
          [`${operation} p50`, ['speed', row, 'p50']] as const,
          ['p99', ['speed', row, 'p99']] as const,
        ];
      }),
    'compare',
  );
}

function rate(results: StepResults): string {
  return byKey(
    results,
    'speed',
    'rate',
    (key) =>
      (['query', 'order'] as const).flatMap((operation) => {
        const row = { ...key, scenario: 'rate', operation };
        return [[`${operation} p50`, ['speed', row, 'p50']] as const, ['p99', ['speed', row, 'p99']] as const];
      }),
    'rate',
  );
}

function durable(results: StepResults): string {
  const throughput = byKey(
    results,
    'speed',
    'clients',
    (key) => {
      const row = { ...key, scenario: 'durable' };
      return ['toystore', 'node-http-fsync', 'node-http-fsync-in-turn'].map(
        (subject) => [`orders/s: ${subject}`, ['speed', { ...row, subject }, 'throughput']] as const,
      );
    },
    'durable',
  );
  return throughput === '' ? '' : `${throughput}\n\n${figures(results, 'durable', 'orders')}`;
}

function figures(results: StepResults, scenario: string, unit?: string): string {
  const all = figuresOf(results).filter(
    (one) => one.scenario === scenario && (unit === undefined || one.unit === unit),
  );
  if (all.length === 0) return '';
  return table(
    ['', '', ''],
    all.map((figure) => [figure.case, figure.subject, `${formatNumber(figure.value)} ${figure.unit}`]),
  );
}

function bars(results: StepResults): string {
  const withBar = figuresOf(results).filter((figure) => figure.bar !== undefined);
  if (withBar.length === 0) return '';
  return table(
    ['', '', '', 'measured', 'bar', ''],
    withBar.map((figure) => [
      figure.scenario,
      figure.case,
      figure.subject,
      formatReached(figure),
      formatBar(figure.bar!),
      isBarReached(figure) ? 'reached' : '**missed**',
    ]),
  );
}

function figuresOf(results: StepResults): Figure[] {
  return [...results.values()].flatMap((one) => one.figures);
}

/** A line for each value that `key` has among the rows of a step; '' where the step is missing. */
function byKey(
  results: StepResults,
  step: string,
  key: 'clients' | 'p' | 'rate' | 'subject',
  columnsOf: ColumnsOf,
  scenario?: string,
): string {
  const rows = (results.get(step)?.rows ?? []).filter((row) => scenario === undefined || row.scenario === scenario);
  const values = [...new Set(rows.map((row) => row[key]))].filter((value) => value !== undefined);
  if (values.length === 0) return '';
  const heads = columnsOf({}).map(([head]) => head);
  const lines = values.map((value) => [
    typeof value === 'number' ? formatNumber(value) : value,
    ...columnsOf({ [key]: value }).map(([, cell]) => cellText(results, cell)),
  ]);
  return table([key, ...heads], lines);
}

function cellText(results: StepResults, [step, match, quantity]: Cell): string {
  const wanted = Object.entries(match) as [keyof Row, unknown][];
  const row = results.get(step)?.rows.find((one) => wanted.every(([name, value]) => one[name] === value));
  if (row === undefined) return '';
  return quantity === 'throughput' ? formatNumber(row.throughput) : formatMs(row[quantity]);
}

function formatMs(ms: number): string {
  return `${ms >= PLAIN_FROM_MS ? Math.round(ms) : Number(ms.toPrecision(SIGNIFICANT_DIGITS))} ms`;
}

function formatNumber(value: number): string {
  return value >= PLAIN_FROM_MS
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(SIGNIFICANT_DIGITS)));
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}
