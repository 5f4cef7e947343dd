// A file with a second name, on real files, touched by the tools that people touch files with.

import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type FileSystem, GuardedFile, nodeFileSystem, replaceFile, StorageError } from '../../src/storage/index.js';
import { FaultyFileSystem } from '../support/simulated-faults.js';
import { scratchDirectory } from './journal-helpers.js';

const HEADER = 'order_number,name\n';
const ROWS = '0,Tux\n1,Whale\n';
const CONTENT = HEADER + ROWS;

class Scene {
  readonly path: string;
  readonly lines: string[] = [];
  readonly log = {
    info: () => undefined,
    warn: (message: string) => void this.lines.push(message),
    error: (message: string) => void this.lines.push(message),
  };

  constructor(
    readonly directory: string,
    readonly fileSystem: FileSystem = nodeFileSystem,
  ) {
    this.path = join(directory, 'orders.csv');
  }

  open(): Promise<GuardedFile> {
    return GuardedFile.open({ path: this.path, fileSystem: this.fileSystem, log: this.log });
  }

  /** A file that exists, with the header, and rows written by the service while it runs. */
  async running(): Promise<GuardedFile> {
    await writeFile(this.path, HEADER);
    const guarded = await this.open();
    await guarded.file!.write(Buffer.from(ROWS), HEADER.length);
    return guarded;
  }

  shell(command: string): void {
    execFileSync('sh', ['-c', command], { cwd: this.directory });
  }

  content(name = 'orders.csv'): Promise<string> {
    return readFile(join(this.directory, name), 'utf8');
  }
}

async function scene(t: ExecutionContext, fileSystem?: FileSystem): Promise<Scene> {
  return new Scene(await scratchDirectory(t), fileSystem);
}

test('a clean run: two names while it runs, one after it; a run that was killed leaves two', async (t) => {
  const { directory, path, ...rest } = await scene(t);
  await writeFile(path, HEADER);
  const options = { path, fileSystem: nodeFileSystem, log: rest.log };
  const first = await GuardedFile.open(options);
  t.false(first.endedUncleanly);
  t.deepEqual((await readdir(directory)).sort(), ['.orders.csv', 'orders.csv']);
  t.deepEqual(await first.check(HEADER.length), { finding: 'same', size: HEADER.length });
  await first.close(true);
  t.deepEqual(await readdir(directory), ['orders.csv']);
  await (await GuardedFile.open(options)).close(false);
  const third = await GuardedFile.open(options);
  t.true(third.endedUncleanly);
  await third.close(true);
  t.false((await GuardedFile.open(options)).endedUncleanly);
});

/** What people do to a file, and the name under which what they put there is kept, if it is worth keeping. */
const touches: readonly { readonly name: string; readonly command: string; readonly kept?: string }[] = [
  { name: 'removed', command: 'rm orders.csv' },
  { name: 'renamed', command: 'mv orders.csv orders.csv.1' },
  { name: 'rotated', command: 'mv orders.csv orders.csv.1; : > orders.csv' },
  { name: 'rotated and compressed', command: 'mv orders.csv orders.csv.1; gzip -f orders.csv.1' },
  { name: 'rewritten by sed -i without a change', command: "sed -i -e '' orders.csv" },
  { name: 'edited by sed -i', command: 'sed -i s/Tux/Fox/ orders.csv', kept: `${HEADER}0,Fox\n1,Whale\n` },
  {
    name: 'copied, longer, and moved over',
    command: 'cp orders.csv x; echo 2,Fox >> x; mv x orders.csv',
    kept: `${CONTENT}2,Fox\n`,
  },
  { name: 'an older copy moved over', command: 'head -n 2 orders.csv > x; mv x orders.csv' },
];

for (const { name, command, kept } of touches) {
  test(`${name} while it runs: it has its name back, with one line that names it`, async (t) => {
    const here = await scene(t);
    const guarded = await here.running();
    here.shell(command);
    t.deepEqual(await guarded.check(CONTENT.length), { finding: 'returned', size: CONTENT.length });
    t.is(await here.content(), CONTENT);
    t.is(here.lines.length, 1);
    t.true(here.lines[0]!.startsWith(`${here.path} was re`), here.lines[0]);
    t.deepEqual(await guarded.check(CONTENT.length), { finding: 'same', size: CONTENT.length });
    await guarded.file!.write(Buffer.from('2,Tux\n'), CONTENT.length);
    await guarded.close(true);
    t.is(await here.content(), `${CONTENT}2,Tux\n`, 'and it is still the file that is written');
    if (kept === undefined) t.false(existsSync(`${here.path}.replaced-1`));
    else t.is(await here.content('orders.csv.replaced-1'), kept);
  });

  // A longer copy may be the later of two that a backup of a running store has: after a crash it is the one that counts.
  if (name.includes('longer')) continue;
  test(`${name}, and the service is killed before it looks: the next start has all that was written`, async (t) => {
    const here = await scene(t);
    await (await here.running()).close(false);
    here.shell(command);
    const next = await here.open();
    t.true(next.endedUncleanly);
    t.is(await here.content(), CONTENT);
    t.is(here.lines.length, 1);
    await next.close(true);
  });
}

test('edited twice: each edited file is kept', async (t) => {
  const here = await scene(t);
  const guarded = await here.running();
  for (const toy of ['Fox', 'Python']) {
    here.shell(`sed -i s/Tux/${toy}/ orders.csv`);
    await guarded.check(CONTENT.length);
  }
  t.regex(await here.content('orders.csv.replaced-1'), /Fox/);
  t.regex(await here.content('orders.csv.replaced-2'), /Python/);
  await guarded.close(true);
});

test('a directory in its place is set aside too', async (t) => {
  const here = await scene(t);
  const guarded = await here.running();
  here.shell('rm orders.csv; mkdir orders.csv; touch orders.csv/x');
  t.is((await guarded.check(CONTENT.length)).finding, 'returned');
  t.is(await here.content(), CONTENT);
  t.true(existsSync(join(here.directory, 'orders.csv.replaced-1', 'x')));
  await guarded.close(true);
});

test('cut short in place: said with its size, also where it was renamed as well', async (t) => {
  const here = await scene(t);
  const guarded = await here.running();
  await truncate(here.path, HEADER.length);
  t.deepEqual(await guarded.check(CONTENT.length), { finding: 'cut', size: HEADER.length });
  here.shell('mv orders.csv x');
  t.deepEqual(await guarded.check(CONTENT.length), { finding: 'cut', size: HEADER.length });
  await guarded.close(true);
});

test('the second name removed: it is made again; both removed: gone, and written back when asked', async (t) => {
  const here = await scene(t);
  const guarded = await here.running();
  here.shell('rm .orders.csv');
  t.is((await guarded.check(CONTENT.length)).finding, 'same');
  t.true(existsSync(join(here.directory, '.orders.csv')));
  for (const command of [
    'rm orders.csv .orders.csv',
    `rm -rf "${here.directory}"`,
    `mv "${here.directory}" ../was-$$`,
  ]) {
    execFileSync('sh', ['-c', command], { cwd: here.directory });
    t.deepEqual(await guarded.check(CONTENT.length), { finding: 'gone', size: 0 }, command);
    await guarded.writeBack(CONTENT.length);
    t.is(await here.content(), CONTENT);
    t.deepEqual(await guarded.check(CONTENT.length), { finding: 'same', size: CONTENT.length });
  }
  await guarded.close(true);
  t.deepEqual(await readdir(here.directory), ['orders.csv']);
});

test('written back where others have put something: that is kept', async (t) => {
  const here = await scene(t);
  const guarded = await here.running();
  await rm(here.directory, { recursive: true });
  await mkdir(here.directory);
  await writeFile(here.path, 'of somebody else');
  t.is((await guarded.check(CONTENT.length)).finding, 'gone');
  await guarded.writeBack(CONTENT.length);
  t.is(await here.content(), CONTENT);
  t.is(await here.content('orders.csv.replaced-1'), 'of somebody else');
  t.is(here.lines.length, 1);
  t.regex(here.lines[0]!, /was replaced by another file/);
  await guarded.close(true);
});

test('a symbolic link is followed: its target has two names, and the link is put right as well', async (t) => {
  const here = await scene(t);
  const elsewhere = join(await scratchDirectory(t), 'real.csv');
  await writeFile(elsewhere, HEADER);
  await symlink(elsewhere, here.path);
  const guarded = await here.open();
  t.is(guarded.path, elsewhere);
  await guarded.file!.write(Buffer.from(ROWS), HEADER.length);
  for (const command of [
    `rm "${elsewhere}"`,
    "sed -i -e '' orders.csv",
    'rm orders.csv',
    'ln -sf /dev/null orders.csv',
  ]) {
    here.shell(command);
    t.is((await guarded.check(CONTENT.length)).finding, 'returned', command);
    t.is(await here.content(), CONTENT, command);
    t.true(lstatSync(here.path).isSymbolicLink(), command);
  }
  t.is(here.lines.length, 4);
  await guarded.replace((file) => file.write(Buffer.from('new'), 0).then(() => undefined));
  t.true(lstatSync(here.path).isSymbolicLink(), 'a replacement replaces the target');
  t.is(await readFile(elsewhere, 'utf8'), 'new');
  await rm(elsewhere);
  await guarded.close(false);
  const next = await here.open();
  t.is(await here.content(), 'new', 'a link that leads nowhere after a crash: the same file');
  await next.close(true);
});

for (const { at, finished } of [
  { at: 'rename', finished: true },
  { at: 'link', finished: false },
] as const) {
  test(`killed in a replacement, before the ${at}: the next start has one whole file and says nothing`, async (t) => {
    const files = new FaultyFileSystem();
    const here = await scene(t, files);
    const guarded = await here.running();
    // Links: at the start, for the replacement. Renames: each link's, then the file's.
    const isReached = (): boolean => files.count(at) === (at === 'link' ? 2 : 3);
    files.stopWhen(isReached);
    void guarded.replace(async (file) => {
      await file.write(Buffer.from('new'), 0);
    });
    while (!isReached()) await new Promise((resolve) => setImmediate(resolve));
    const next = await GuardedFile.open({ path: here.path, fileSystem: nodeFileSystem, log: here.log });
    t.is(await here.content(), finished ? 'new' : CONTENT);
    t.deepEqual(here.lines, []);
    t.deepEqual((await readdir(here.directory)).sort(), ['.orders.csv', 'orders.csv']);
    await next.close(true);
  });
}

test('copies of both names of a running store, put back as two files: the later one counts', async (t) => {
  for (const [path, second] of [
    [CONTENT, HEADER],
    [HEADER, CONTENT],
    [CONTENT, CONTENT],
  ] as const) {
    const here = await scene(t);
    await writeFile(here.path, path);
    await writeFile(join(here.directory, '.orders.csv'), second);
    const guarded = await here.open();
    t.is(await here.content(), CONTENT);
    t.is((await guarded.check(CONTENT.length)).finding, 'same');
    await guarded.close(true);
  }
});

test('a file that does not exist yet is made by its first replacement, with two names', async (t) => {
  const here = await scene(t);
  const guarded = await here.open();
  t.is(guarded.file, undefined);
  await guarded.replace(async (file) => {
    await file.write(Buffer.from(HEADER), 0);
  });
  here.shell('rm orders.csv');
  t.is((await guarded.check(HEADER.length)).finding, 'returned');
  await guarded.close(true);
});

test('a file that is mounted by itself (EXDEV): refused, with what to do', async (t) => {
  const files = new FaultyFileSystem();
  const here = await scene(t, files);
  await writeFile(here.path, HEADER);
  files.fail('link', 'EXDEV');
  const error = await t.throwsAsync(here.open(), { instanceOf: StorageError, code: 'MOUNTED_FILE' });
  t.is(error?.message, `${here.path} is mounted by itself: mount the directory that it lies in instead`);
});

for (const code of ['EPERM', 'ENOTSUP', 'ENOSYS']) {
  test(`a file system without hard links (${code}): one warning, then without; a start counts as after a clean stop`, async (t) => {
    const files = new FaultyFileSystem();
    files.fail('link', code, Number.POSITIVE_INFINITY);
    const here = await scene(t, files);
    const guarded = await here.running();
    for (let count = 0; count < 3; count++) {
      t.is((await guarded.check(CONTENT.length)).finding, 'same');
      await guarded.replace(async (file) => {
        await file.write(Buffer.from(CONTENT), 0);
      });
    }
    t.is(here.lines.length, 1);
    t.regex(here.lines[0]!, /second name .* do not rename, replace or remove it/);
    here.shell('rm orders.csv');
    t.is((await guarded.check(CONTENT.length)).finding, 'gone');
    await guarded.writeBack(CONTENT.length);
    t.is(await here.content(), CONTENT);
    await guarded.close(false);
    const next = await here.open();
    t.false(next.endedUncleanly);
    await next.close(true);
  });
}

test('a second name that cannot follow a replacement goes: it must never lead to the old file', async (t) => {
  const files = new FaultyFileSystem();
  const here = await scene(t, files);
  const guarded = await here.running();
  files.fail('link', 'ENOSPC');
  await guarded.replace(async (file) => {
    await file.write(Buffer.from('new'), 0);
  });
  t.deepEqual(await readdir(here.directory), ['orders.csv']);
  await guarded.close(false);
  await (await here.open()).close(true);
  t.is(await here.content(), 'new');
});

test("what somebody appended is there to see: the size is the file's, not ours", async (t) => {
  const here = await scene(t);
  const guarded = await here.running();
  await appendFile(here.path, 'x');
  t.deepEqual(await guarded.check(CONTENT.length), { finding: 'same', size: CONTENT.length + 1 });
  await guarded.close(true);
});

/** Runs `touch` before the call with that number, counted from 1, and says how many there were. */
function touchingBefore(
  call: number,
  touch: () => void,
): { files: FileSystem; calls: () => number; begin: () => void } {
  let calls = Number.NEGATIVE_INFINITY;
  const files = new Proxy(nodeFileSystem, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...parameters: unknown[]) => unknown;
      return (...parameters: unknown[]) => {
        if (++calls === call) touch();
        return method.apply(target, parameters);
      };
    },
  });
  const begin = (): void => {
    calls = 0;
  };
  return { files, calls: () => calls, begin };
}

for (const touch of ['rm orders.csv', 'echo other > x && mv x orders.csv', 'mv orders.csv orders.csv.1']) {
  test(`touched at any step of a clean stop, nothing is lost as long as it has two names: ${touch}`, async (t) => {
    let steps = 0;
    for (let call = 1; call === 1 || call <= steps; call++) {
      const directory = await scratchDirectory(t);
      const touched = touchingBefore(call, () => {
        if (existsSync(join(directory, '.orders.csv'))) here.shell(`[ ! -e orders.csv ] || { ${touch}; }`);
      });
      const here = new Scene(directory, touched.files);
      const guarded = await here.running();
      touched.begin();
      await guarded.close(true);
      steps = touched.calls();
      t.is(await here.content(), CONTENT, `touched before call ${call} of ${steps}`);
      t.false(existsSync(join(directory, '.orders.csv')));
    }
    t.true(steps >= 4);
  });
}

for (const [touch, said] of [
  ['echo other > x && mv x orders.csv', /replaced by another file/],
  ['rm orders.csv', /removed or renamed/],
] as const) {
  test(`touched while a replacement is being written: said, and what is not ours is kept: ${touch}`, async (t) => {
    const here = await scene(t);
    const guarded = await here.running();
    await guarded.replace(async (file) => {
      await file.write(Buffer.from('new'), 0);
      here.shell(touch);
    });
    t.is(await here.content(), 'new');
    t.is(here.lines.length, 1);
    t.regex(here.lines[0]!, said);
    if (touch.startsWith('echo')) t.is(await here.content('orders.csv.replaced-1'), 'other\n');
    await guarded.close(true);
  });
}

/** What somebody puts in its place. */
const OTHER = 'echo other > x && mv x orders.csv';

for (const { title, before, work, content, isLink = false } of [
  {
    title: 'a replacement',
    before: ':',
    work: (guarded: GuardedFile) => guarded.replace((file) => file.write(Buffer.from('new'), 0).then(() => undefined)),
    content: 'new',
  },
  {
    title: 'getting its name back',
    before: 'rm orders.csv',
    work: (guarded: GuardedFile) => guarded.check(CONTENT.length),
    content: CONTENT,
  },
  {
    title: 'getting its link back',
    before: 'rm orders.csv',
    work: (guarded: GuardedFile) => guarded.check(CONTENT.length),
    content: CONTENT,
    isLink: true,
  },
]) {
  test(`replaced at any step of ${title}: the other file is kept, and said`, async (t) => {
    let steps = 0;
    for (let call = 1; call === 1 || call <= steps; call++) {
      const directory = await scratchDirectory(t);
      const touched = touchingBefore(call, () => here.shell(OTHER));
      const here = new Scene(directory, touched.files);
      if (isLink) here.shell('touch real.csv; ln -s real.csv orders.csv');
      const guarded = await here.running();
      here.shell(before);
      touched.begin();
      await work(guarded);
      steps = touched.calls();
      // Where the other file came after the last step, this finds it.
      await guarded.check(content.length);
      const when = `replaced before call ${call} of ${steps}`;
      t.is(await here.content(), content, when);
      t.is(await here.content('orders.csv.replaced-1').catch(() => 'gone'), 'other\n', when);
      const said = isLink ? /did not lead to .*real\.csv/ : /was replaced by another file/;
      t.true(
        here.lines.some((line) => said.test(line)),
        when,
      );
      await guarded.close(true);
    }
    t.true(steps >= 4);
  });
}

test('replaced, and the other file goes by itself at any step of getting the name back: it is ours again', async (t) => {
  let steps = 0;
  for (let call = 1; call === 1 || call <= steps; call++) {
    const directory = await scratchDirectory(t);
    const touched = touchingBefore(call, () => here.shell('[ "$(cat orders.csv)" != other ] || rm orders.csv'));
    const here = new Scene(directory, touched.files);
    const guarded = await here.running();
    here.shell(OTHER);
    touched.begin();
    const { finding } = await guarded.check(CONTENT.length);
    steps = touched.calls();
    t.is(finding, 'returned', `gone before call ${call} of ${steps}`);
    t.is(await here.content(), CONTENT);
    await guarded.close(true);
  }
  t.true(steps >= 4);
});

test('both names gone before the end of a clean stop: said, for nobody can find the content', async (t) => {
  const here = await scene(t);
  const guarded = await here.running();
  here.shell('rm orders.csv .orders.csv');
  const error = await t.throwsAsync(guarded.close(true), { instanceOf: StorageError, code: 'INACCESSIBLE' });
  t.regex(error!.message, /orders\.csv: removing its second name failed .*removed with its second name/);
});

test("after a clean stop a replaced file is nobody's business", async (t) => {
  const here = await scene(t);
  await (await here.running()).close(true);
  await replaceFile(here.path, ['restored']);
  await (await here.open()).close(true);
  t.is(await here.content(), 'restored');
  t.deepEqual(here.lines, []);
});
