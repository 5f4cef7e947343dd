// patient-exit.ts: loaded before a service that clinic's heapprofiler watches (`--import`). On Ctrl-C that tool begins to
// write what it has sampled while the service stops; a service with nothing to drain would be gone first and leave an
// empty file. So the end of the process waits a little.

const GRACE_MS = 3000;

const exit = process.exit.bind(process);
process.exit = ((code?: number) => {
  setTimeout(() => exit(code), GRACE_MS);
}) as typeof process.exit;
