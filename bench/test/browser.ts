// browser.ts: opens a page in a real headless Chromium. Without one on the machine the tests that need it are passed
// over and say so; CHROMIUM names one that is not on the path.

import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import test from 'ava';

const BROWSERS = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'];
const TIMEOUT_MS = 50_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

const browser = BROWSERS.find((name) => name !== undefined && spawnSync(name, ['--version']).status === 0);
if (browser === undefined) {
  process.stderr.write('no Chromium here: pages are not opened (install chromium, or set CHROMIUM to its path)\n');
}

/** `test`, where there is a browser. */
export const inBrowser = browser === undefined ? test.skip : test.serial;

/**
 * The page's elements after its scripts have run; no name of another machine resolves.
 *
 * @param dataFolder where the browser keeps its own files
 * @param flags for Chromium
 */
export function openPage(file: string, dataFolder: string, ...flags: readonly string[]): string {
  const { stdout, error } = spawnSync(
    browser!,
    [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND'],
      ...[`--user-data-dir=${dataFolder}`, '--virtual-time-budget=5000', ...flags],
      ...['--dump-dom', pathToFileURL(file).href],
    ],
    { encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX, timeout: TIMEOUT_MS },
  );
  if (error !== undefined) throw error;
  return stdout;
}
