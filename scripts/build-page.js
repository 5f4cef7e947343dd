// build-page.js: the page's files as they are served: dist/page/ -> dist/site/.
//
//   site/index.html
//   site/assets/<hash of all files>/main.js, style.css, …      imports among them stay as they are, and nothing in a folder
//                                                              of that name ever changes: browsers may keep it for good
//
// Compressed forms stand beside the files, so that a server that starts has only to read them.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const HASH_DIGITS = 12;

/** @param {string} root of the repository */
export function buildPage(root) {
  const source = join(root, 'src/page');
  const compiled = join(root, 'dist/page/page');
  const library = join(root, 'node_modules/uplot/dist');
  const site = join(root, 'dist/site');
  /** @type {Map<string, Buffer>} */
  const assets = new Map([
    ['style.css', readFileSync(join(source, 'style.css'))],
    ['icon.svg', readFileSync(join(source, 'icon.svg'))],
    ['uplot.css', readFileSync(join(library, 'uPlot.min.css'))],
    ['uplot.js', readFileSync(join(library, 'uPlot.esm.js'))],
  ]);
  for (const name of readdirSync(compiled)) {
    if (name.endsWith('.js')) assets.set(name, readFileSync(join(compiled, name)));
  }
  const hash = createHash('sha256');
  for (const [name, content] of assets) hash.update(`${name}\0${content.length}\0`).update(content);
  const folder = `assets/${hash.digest('hex').slice(0, HASH_DIGITS)}`;
  const index = readFileSync(join(source, 'index.html'), 'utf8').replaceAll('ASSETS/', `/${folder}/`);

  rmSync(site, { recursive: true, force: true });
  mkdirSync(join(site, folder), { recursive: true });
  write(join(site, 'index.html'), Buffer.from(index));
  for (const [name, content] of assets) write(join(site, folder, name), content);
}

/** Writes a file and its compressed forms. */
function write(/** @type {string} */ path, /** @type {Buffer} */ content) {
  writeFileSync(path, content);
  writeFileSync(`${path}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
  writeFileSync(`${path}.br`, brotliCompressSync(content));
}
