// compose-store.ts: the store as three containers, as `docker-compose up` runs them, but apart from the user's own: a
// project name, a port and data directories for the measurement alone.
//
//   <folder>/var/catalog/catalog.csv   written beforehand: more stock than any run can sell
//   --project-directory <folder>       so that ./var of the compose file means this folder

import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from '../../test/docker/free-ports.js';
import { ROOT } from '../run/paths.js';
import { serverEnvironment, type Target } from './server-process.js';
import { toysCsv } from './toys.js';
import { makeDataFolder } from './toystore.js';

const execute = promisify(execFile);
const COMPOSE_FILE = path.join(ROOT, 'docker-compose.yml');
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const READY_TIMEOUT_MS = 60_000;
const TRY_TIMEOUT_MS = 1_000;
const POLL_MS = 250;
/** Anyone may write: the containers' user is another than the one who measures. */
const OPEN_FOLDER_MODE = 0o777;
const LAST_LINES = 3;

/**
 * Builds the images (from the cache where nothing has changed), starts the containers and waits until they are ready.
 *
 * @param settings of the store
 * @param onProgress told of each step, since a first build takes minutes
 * @throws Error without a Docker daemon or docker-compose, or when the containers do not come up
 */
export async function startComposeStore(
  settings: Readonly<Record<string, string>>,
  onProgress: (text: string) => void,
): Promise<Target> {
  onProgress('building the images');
  await compose(['--project-directory', ROOT, 'build'], settings);
  const { folder, remove } = await makeDataFolder();
  for (const service of ['catalog', 'order']) {
    const data = path.join(folder, 'var', service);
    await mkdir(data, { recursive: true });
    await chmod(data, OPEN_FOLDER_MODE);
  }
  await writeFile(path.join(folder, 'var', 'catalog', 'catalog.csv'), toysCsv());
  const port = await freePorts(1);
  const env = { ...settings, FRONTEND_PORTS: String(port), ...userSetting() };
  const project = ['--project-directory', folder, '-p', path.basename(folder).toLowerCase()];
  const stop = async (): Promise<void> => {
    await compose([...project, 'down', '-v', '--timeout', '15'], env);
    await remove();
  };
  try {
    onProgress('starting the containers');
    await compose([...project, 'up', '-d', '--no-build'], env);
    await waitUntilReady(port);
    return { name: 'toystore', host: '127.0.0.1', port, pid: undefined, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** On a clone of a user other than 1000 the containers run as that user, so that what they write can be deleted. */
function userSetting(): Record<string, string> {
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? {} : { TOYSTORE_USER: `${uid}:${process.getgid!()}` };
}

/** By the plugin of today's Docker, or else by the program of its own. */
async function compose(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const words = ['-f', COMPOSE_FILE, ...args];
  const hasPlugin = await run('docker', ['compose', 'version'], {}).then(
    () => true,
    () => false,
  );
  return hasPlugin ? run('docker', ['compose', ...words], env) : run('docker-compose', words, env);
}

async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  // Where the engine is found is the user's to say; the rest of the environment would set the store's own settings.
  const engine = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DOCKER_')));
  try {
    const options = { cwd: ROOT, env: { ...serverEnvironment(env), ...engine }, maxBuffer: OUTPUT_BYTES_MAX };
    return (await execute(command, args, options)).stdout;
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? error)
      .trim()
      .split('\n');
    throw new Error(`${command} ${args.at(-1)}: ${said.slice(-LAST_LINES).join(' ')}`, { cause: error });
  }
}

async function waitUntilReady(port: number): Promise<void> {
  const giveUpMs = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < giveUpMs) {
    // Docker's proxy takes connections before there is anyone behind it, and answers none of those.
    const isReady = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal: AbortSignal.timeout(TRY_TIMEOUT_MS),
    }).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isReady) return;
    await delay(POLL_MS);
  }
  throw new Error(`the containers are not ready after ${READY_TIMEOUT_MS} ms`);
}
