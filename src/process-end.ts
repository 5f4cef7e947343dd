// process-end.ts: how a command of this project ends: when it is asked to, and with which exit code.

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
/** 128 and the signal's number, as of programs that a signal ends. */
export const EXIT_SIGINT = 130;
export const EXIT_SIGTERM = 143;

/** npm passes a Ctrl-C on that the terminal has sent already: only a signal after this time means impatience. */
const REPEATED_SIGNAL_MS = 1_000;

/**
 * The first request to stop: SIGINT, SIGTERM, or the end of the supervisor that this process is a child of. A signal
 * that comes a while later ends the process at once.
 *
 * @param beforeExit called before that end
 */
export function waitForStop(beforeExit: () => void = () => {}): Promise<string> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const request = (reason: string, exitCode: number): void => {
      const now = performance.now();
      firstAt ??= now;
      if (now - firstAt > REPEATED_SIGNAL_MS) {
        beforeExit();
        process.exit(exitCode);
      }
      resolve(reason);
    };
    process.on('SIGINT', () => request('SIGINT', EXIT_SIGINT));
    process.on('SIGTERM', () => request('SIGTERM', EXIT_SIGTERM));
    if (process.channel !== undefined) process.on('disconnect', () => resolve('supervisor ended'));
  });
}
