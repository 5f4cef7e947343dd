// simulated-seeds.ts: runs many seeds and names the first that fails, with the way to run it again.
//
//   SEED=123 npx ava dist/test/simulation/<file>.test.js     runs that seed alone

export interface FailedSeed {
  readonly seed: number;
  readonly error: Error;
}

/** The first seed from `first` up to, not including, `end` for which `check` throws. */
export async function firstFailure(
  first: number,
  end: number,
  check: (seed: number) => Promise<unknown>,
): Promise<FailedSeed | undefined> {
  for (let seed = first; seed < end; seed++) {
    try {
      await check(seed);
    } catch (error) {
      return { seed, error: error as Error };
    }
  }
  return undefined;
}

/**
 * Throws an error with the seed and how to run it again if there is one below `count` that fails.
 *
 * @param file the test's name
 */
export async function checkSeeds(
  file: string,
  count: number,
  check: (seed: number) => Promise<unknown>,
): Promise<void> {
  const only = process.env.SEED === undefined ? undefined : Number(process.env.SEED);
  const failed = only === undefined ? await firstFailure(0, count, check) : await firstFailure(only, only + 1, check);
  if (failed === undefined) return;
  const again = `SEED=${failed.seed} npx ava dist/test/simulation/${file}.test.js`;
  throw new Error(`seed ${failed.seed}: ${failed.error.message}\nrun it alone: ${again}`, { cause: failed.error });
}
