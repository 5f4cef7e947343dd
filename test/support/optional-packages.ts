// optional-packages.ts: whether what traces need is installed: npm ci --omit=optional leaves it out, and all else is tested
// all the same.

const PACKAGES = [
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/resources',
  '@opentelemetry/exporter-trace-otlp-proto',
];

export const hasOpenTelemetry: boolean = PACKAGES.every((name) => {
  try {
    return import.meta.resolve(name) !== '';
  } catch {
    return false;
  }
});

/** For the title of a test that is left out without them. */
export const WITHOUT_OPEN_TELEMETRY = "left out: OpenTelemetry's optional packages are not installed";
