// monotonic-us.ts: the one clock that all threads of a process share. performance.now() starts at 0 in each thread,
// so a time taken in one means nothing in another; process.hrtime() reads the system's monotonic clock in all of
// them.

const US_PER_SECOND = 1e6;
const NS_PER_US = 1e3;

/** Microseconds on the process-wide monotonic clock, whole, below 2^53 for any uptime. */
export function monotonicUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * US_PER_SECOND + Math.floor(nanoseconds / NS_PER_US);
}
