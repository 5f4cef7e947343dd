// catalog.csv and the journal, touched by what people touch files with while the catalog runs: it is noticed within a second,
// with a line that names the file, and whether the catalog is then stopped or killed, nothing that was answered is gone.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import { touchesOf } from '../support/file-touches.js';
import { FaultyFileSystem } from '../support/simulated-faults.js';
import { batch, begin, stock } from './engine-fixture.js';

const SEED = 'name,price,quantity\nTux,15.99,100\nFox,12.99,100\n';
const NOTICED_MS_MAX = 1_000;

class Touched {
  readonly lines: string[] = [];
  engine!: CatalogEngine;
  #files = new FaultyFileSystem();

  private constructor(readonly directory: string) {}

  static async open(t: ExecutionContext): Promise<Touched> {
    const directory = await mkdtemp(join(tmpdir(), 'catalog-touched-'));
    t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
    await writeFile(join(directory, 'catalog.csv'), SEED);
    const touched = new Touched(directory);
    await touched.start();
    t.teardown(() => touched.engine.break(new Error('the test is over')));
    return touched;
  }

  async start(): Promise<void> {
    const note = (message: string, fields?: object) => void this.lines.push(`${message} ${JSON.stringify(fields)}`);
    this.#files = new FaultyFileSystem();
    this.engine = await CatalogEngine.open({
      fileSystem: this.#files,
      directory: this.directory,
      seedPath: join(this.directory, 'seed.csv'),
      syncMode: 'commit',
      log: { info: () => undefined, warn: note, error: note },
    });
  }

  shell(command: string): void {
    execFileSync('sh', ['-c', `cd ${this.directory}; ${command}`]);
  }

  /** Waits until a line names the file or the directory; how long that took, in milliseconds. */
  async noticed(what: string): Promise<number> {
    const startMs = performance.now();
    while (!this.lines.some((line) => line.includes(what))) {
      if (performance.now() - startMs > 5 * NOTICED_MS_MAX) throw new Error(`no line names ${what}`);
      await sleep(10);
    }
    return performance.now() - startMs;
  }

  /** Waits until nothing is sold: a checkpoint may have been the first to notice. */
  async isFull(): Promise<void> {
    while (this.engine.state !== 'full') await sleep(10);
  }

  /** As kill -9 leaves it, or a clean stop. */
  async end(how: 'stopped' | 'killed'): Promise<void> {
    if (how === 'stopped') await this.engine.close();
    else {
      // What it has begun does not go on beside the next one.
      this.#files.stopWhen(() => true);
      this.engine.break(new Error('killed'));
    }
  }
}

const actions: readonly { readonly command: string; readonly names: string; readonly keeps?: string }[] = [
  ...['catalog.csv', 'journal'].flatMap((file) => touchesOf(file).map((command) => ({ command, names: file }))),
  { command: 'sed -i s/Tux/Dux/ catalog.csv', names: 'catalog.csv', keeps: 'catalog.csv.replaced-1' },
  { command: 'truncate -s 10 catalog.csv', names: 'catalog.csv' },
  { command: 'echo Whale,1,1 >> catalog.csv', names: 'catalog.csv' },
  { command: 'truncate -s 40 journal', names: 'journal' },
  { command: 'rm journal .journal', names: 'journal' },
  { command: 'rm catalog.csv .catalog.csv journal .journal', names: 'journal' },
];

for (const { command, names, keeps } of actions) {
  for (const how of ['stopped', 'killed'] as const) {
    test.serial(`${command}; then ${how}`, async (t) => {
      const touched = await Touched.open(t);
      const { incarnation } = await begin(touched.engine);
      t.deepEqual(await touched.engine.purchase(batch(incarnation, 1, ['Tux 3'])), [0]);
      touched.shell(command);
      t.true((await touched.noticed(names)) < NOTICED_MS_MAX);
      t.deepEqual(await touched.engine.purchase(batch(incarnation, 2, ['Tux 4'])), [0]);
      await touched.end(how);
      await touched.start();
      t.deepEqual(stock(touched.engine, 'Tux', 'Fox'), [93, 100]);
      const { sales } = await begin(touched.engine, { incarnation, sequence: 1 });
      t.is(sales.length, 1);
      if (keeps !== undefined) t.true((await readdir(touched.directory)).includes(keeps));
    });
  }
}

test.serial(
  'rm -rf of the directory: nothing is sold, finds go on, and a clean stop writes everything back',
  async (t) => {
    const touched = await Touched.open(t);
    const { engine, directory } = touched;
    const { incarnation } = await begin(engine);
    t.deepEqual(await engine.purchase(batch(incarnation, 1, ['Tux 3'])), [0]);
    touched.shell(`rm -rf ${directory}`);
    t.true((await touched.noticed(directory)) < NOTICED_MS_MAX);
    await touched.isFull();
    t.deepEqual(await engine.purchase(batch(incarnation, 2, ['Tux 3'])), [-4]);
    t.deepEqual(stock(engine, 'Tux'), [97]);
    await sleep(1_500);
    t.true(touched.lines.length <= 2, touched.lines.join('\n'));
    await engine.close();
    t.is(await readFile(join(directory, 'catalog.csv'), 'utf8'), SEED.replace('Tux,15.99,100', 'Tux,15.99,97'));
    await touched.start();
    t.is((await begin(touched.engine)).sales.length, 1);
  },
);

test.serial('a directory that comes back: the files are written anew, and toys are sold again', async (t) => {
  const touched = await Touched.open(t);
  const { engine, directory } = touched;
  const { incarnation } = await begin(engine);
  t.deepEqual(await engine.purchase(batch(incarnation, 1, ['Tux 3'])), [0]);
  touched.shell(`mv ${directory} ${directory}.away`);
  await touched.noticed(directory);
  await touched.isFull();
  touched.shell(`cd /; mkdir ${directory} && rm -rf ${directory}.away`);
  while (engine.state !== 'selling') await sleep(50);
  t.deepEqual(await engine.purchase(batch(incarnation, 2, ['Tux 4'])), [0]);
  await touched.end('killed');
  await touched.start();
  t.deepEqual(stock(touched.engine, 'Tux'), [93]);
});

test.serial('a symbolic link stays one; its target is what is written', async (t) => {
  const touched = await Touched.open(t);
  await touched.end('stopped');
  touched.shell('mkdir real && mv catalog.csv real/toys.csv && ln -s real/toys.csv catalog.csv');
  await touched.start();
  const { incarnation } = await begin(touched.engine);
  await touched.engine.purchase(batch(incarnation, 1, ['Tux 3']));
  await touched.end('stopped');
  t.regex(await readFile(join(touched.directory, 'real', 'toys.csv'), 'utf8'), /Tux,15.99,97/);
  touched.shell('test -L catalog.csv');
});
