// metrics-page.ts: a page of metrics, read as Prometheus reads it and judged by the rules of `promtool check metrics`.
//
// Format: https://prometheus.io/docs/instrumenting/exposition_formats/
// Names: https://prometheus.io/docs/practices/naming/

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  help: string | undefined;
  type: string | undefined;
  readonly samples: Sample[];
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/gy;
const SUFFIX = /_(?:bucket|sum|count)$/;
/** Units that are not base units, and short forms of those that are. */
const BAD_UNITS =
  /_(?:ms|s|us|ns|milliseconds|microseconds|nanoseconds|minutes|hours|days|kb|mb|gb|kilobytes|megabytes|b|percent)(?:_total)?$/;
const TYPE_IN_NAME = /_(?:gauge|counter|summary|histogram)(?:_|$)/;

export class MetricsPage {
  /** What is wrong with the page's form. */
  readonly faults: string[] = [];
  readonly families = new Map<string, Family>();

  constructor(text: string) {
    if (!text.endsWith('\n')) this.faults.push('the last line does not end');
    let family: Family | undefined;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const [, what, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
      if (what !== undefined) {
        if (family?.name !== name) family = this.#begin(name);
        const key = what === 'HELP' ? 'help' : 'type';
        if (family[key] !== undefined) this.faults.push(`${name} has ${what} twice`);
        family[key] = rest;
        continue;
      }
      const sample = this.#sample(line);
      if (sample === undefined) continue;
      const isOwn =
        family !== undefined && (sample.name === family.name || sample.name.replace(SUFFIX, '') === family.name);
      if (family === undefined || !isOwn) this.faults.push(`${sample.name} is not of the family that it stands in`);
      else family.samples.push(sample);
    }
  }

  /** The value of the one sample with that name and, among others, those labels. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const found = this.samples(name, labels);
    if (found.length !== 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`);
    return found[0]!.value;
  }

  samples(name: string, labels: Readonly<Record<string, string>> = {}): Sample[] {
    const all = [...this.families.values()].flatMap((family) => family.samples);
    return all.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
  }

  /** Everything that is wrong, form and names. */
  check(): string[] {
    return [...this.faults, ...[...this.families.values()].flatMap(complaintsAbout)];
  }

  #begin(name: string): Family {
    if (this.families.has(name)) this.faults.push(`${name} stands in two places`);
    const family: Family = { name, help: undefined, type: undefined, samples: [] };
    this.families.set(name, family);
    return family;
  }

  #sample(line: string): Sample | undefined {
    const [, name, labelText = '', valueText = ''] = LINE.exec(line) ?? [];
    const pairs = [...labelText.matchAll(LABEL)];
    const isRead = pairs.reduce((length, [pair]) => length + pair.length, 0) === labelText.length;
    const value = valueText === '+Inf' ? Number.POSITIVE_INFINITY : Number(valueText);
    if (name === undefined || !isRead || (Number.isNaN(value) && valueText !== 'NaN')) {
      this.faults.push(`no line of metrics: ${line}`);
      return undefined;
    }
    return { name, labels: Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text])), value };
  }
}

function complaintsAbout({ name, help, type, samples }: Family): string[] {
  const complaints: string[] = [];
  const complainIf = (isWrong: boolean, what: string): void => {
    if (isWrong) complaints.push(`${name} ${what}`);
  };
  const isDistribution = type === 'histogram' || type === 'summary';
  complainIf(help === undefined, 'has no HELP');
  complainIf(type === undefined, 'has no TYPE');
  complainIf(!/^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/.test(name), 'is not in snake_case');
  complainIf(type === 'counter' && !name.endsWith('_total'), 'is a counter and does not end in _total');
  complainIf(type !== 'counter' && name.endsWith('_total'), 'ends in _total and is no counter');
  complainIf(!isDistribution && SUFFIX.test(name), 'has a suffix that is kept for histograms and summaries');
  complainIf(BAD_UNITS.test(name), 'is not in a base unit, or says it in short');
  complainIf(TYPE_IN_NAME.test(name), 'has its type in its name');
  const seen = new Set<string>();
  for (const sample of samples) {
    const labels = Object.keys(sample.labels);
    const series = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    complainIf(seen.has(series), `has a series twice: ${series}`);
    seen.add(series);
    complainIf(
      labels.some((label) => !/^[a-z][a-z0-9_]*$/.test(label)),
      'has a label that is not in snake_case',
    );
    complainIf(labels.includes('le') && type !== 'histogram', 'has the label le and is no histogram');
    complainIf(labels.includes('quantile') && type !== 'summary', 'has the label quantile and is no summary');
    complainIf(sample.name !== name && !isDistribution, `has rows of another name: ${sample.name}`);
    complainIf(type === 'counter' && !(sample.value >= 0), 'counts below zero');
  }
  if (type === 'histogram') complaints.push(...complaintsAboutBuckets(name, samples));
  return complaints;
}

/** Buckets hold all that is below their bound, and the last one everything. */
function complaintsAboutBuckets(name: string, samples: readonly Sample[]): string[] {
  const complaints: string[] = [];
  const series = new Map<string, { below: number; bound: number }>();
  for (const { name: row, labels, value } of samples) {
    const { le, ...own } = labels;
    const key = JSON.stringify(Object.entries(own).sort());
    const last = series.get(key) ?? { below: 0, bound: Number.NEGATIVE_INFINITY };
    if (row === `${name}_bucket`) {
      const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
      if (!(bound > last.bound)) complaints.push(`${name} has buckets out of order`);
      if (value < last.below) complaints.push(`${name} has a bucket that holds less than the one below it`);
      series.set(key, { below: value, bound });
    } else if (row === `${name}_count`) {
      if (last.bound !== Number.POSITIVE_INFINITY) complaints.push(`${name} has no bucket +Inf`);
      if (last.below !== value) complaints.push(`${name} counts ${value}, its last bucket ${last.below}`);
    }
  }
  return complaints;
}
