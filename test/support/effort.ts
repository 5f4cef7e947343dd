// effort.ts: how much a test that draws at random does. What it takes to notice every seeded mistake is done always; more
// finds what nobody has thought of, and that is for a machine that has the time:
//
//   TEST_EFFORT=10 npm test     ten times the seeds and examples (.ci/run)

/** At least one run is made, however small the effort. */
export function runs(count: number): number {
  const effort = Number(process.env.TEST_EFFORT || 1);
  if (!(effort > 0)) throw new Error(`TEST_EFFORT is ${JSON.stringify(process.env.TEST_EFFORT)}: it must be above 0`);
  return Math.max(1, Math.round(count * effort));
}

/** Whether there is time for what takes a minute by itself: from TEST_EFFORT=10 on. */
export const isThorough = Number(process.env.TEST_EFFORT || 1) >= 10;
