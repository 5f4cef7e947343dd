// simulated-seeds.ts: runs many seeds and names the first that fails, with the way to run it again.
//
//   SEED=123 npx ava dist/test/simulation/<file>.test.js     runs that seed alone

export interface FailedSeed {
  readonly seed: number;
  readonly error: Error;
}

/** The first seed below `count` for which `check` throws. With SEED in the environment, that seed alone is tried. */
export async function firstFailure(
  count: number,
  check: (seed: number) => Promise<unknown>,
): Promise<FailedSeed | undefined> {
  const only = process.env.SEED;
  const [first, end] = only === undefined ? [0, count] : [Number(only), Number(only) + 1];
  for (let seed = first; seed < end; seed++) {
    try {
      await check(seed);
    } catch (error) {
      return { seed, error: error as Error };
    }
  }
  return undefined;
}

/** Throws an error with the seed and how to run it again if there is one that fails. `file`: the test's name. */
export async function checkSeeds(
  file: string,
  count: number,
  check: (seed: number) => Promise<unknown>,
): Promise<void> {
  const failed = await firstFailure(count, check);
  if (failed === undefined) return;
  const again = `SEED=${failed.seed} npx ava dist/test/simulation/${file}.test.js`;
  throw new Error(`seed ${failed.seed}: ${failed.error.message}\nrun it alone: ${again}`, { cause: failed.error });
}
