// changed-code.ts: the compiled code of a library with one place changed: to plant a bug that a test should see, or to
// lift a bound that keeps a test from where it wants to go.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Change {
  /** A compiled file of a library that needs only the ground, such as `pool/acceptor.js`. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

const ORIGINAL = fileURLToPath(new URL('../../src/', import.meta.url));

export class ChangedCode {
  readonly #directory = mkdtempSync(join(tmpdir(), 'changed-code-'));

  constructor(...changes: readonly Change[]) {
    const libraries = new Set(changes.map(({ file }) => dirname(file)));
    const isCopied = (path: string): boolean => {
      const name = relative(ORIGINAL, path);
      return name === '' || libraries.has(name.split('/')[0]!) || (dirname(name) === '.' && name.endsWith('.js'));
    };
    cpSync(ORIGINAL, this.#directory, { recursive: true, filter: isCopied });
    writeFileSync(join(this.#directory, 'package.json'), '{"type":"module"}');
    for (const { file, from, to } of changes) {
      const path = join(this.#directory, file);
      const pieces = readFileSync(path, 'utf8').split(from);
      if (pieces.length !== 2) throw new Error(`found ${pieces.length - 1} times in ${file}: ${from}`);
      writeFileSync(path, pieces.join(to));
    }
  }

  /** Imports one of its modules. Modules that it starts threads from must still be there when it does. */
  import(file: string): Promise<unknown> {
    return import(pathToFileURL(join(this.#directory, file)).href);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true });
  }
}
