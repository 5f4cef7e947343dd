// tls-readings.ts: the metrics of TLS, for HTTPS and among the services alike. docs/tls.md lists them.

import { counter, gauge, type Reading } from '../metrics/index.js';
import { validUntilMs } from '../tls/tls-identity.js';
import type { TlsStats } from '../tls/tls-terminator.js';
import type { WatchedIdentity } from '../tls/watched-identity.js';

const MS_PER_S = 1_000;

/** The TLS of one thread. */
export function tlsReadings(stats: () => TlsStats): Reading[] {
  return [
    counter('toystore_tls_handshakes_total', 'TLS handshakes that were completed.', () => [
      { labels: { resumed: 'false' }, value: stats().full },
      { labels: { resumed: 'true' }, value: stats().resumed },
    ]),
    counter('toystore_tls_handshakes_failed_total', 'TLS handshakes that failed.', () =>
      Object.entries(stats().failed).map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    gauge('toystore_tls_handshakes_pending', 'TLS handshakes under way.', () => stats().pending),
  ];
}

/** When the certificates of a process end, by what they are for. */
export function certificateReadings(identities: Readonly<Record<string, WatchedIdentity | undefined>>): Reading[] {
  const watched = Object.entries(identities).flatMap(([of, identity]) =>
    identity === undefined ? [] : [{ of, identity }],
  );
  if (watched.length === 0) return [];
  return [
    gauge('toystore_tls_certificate_valid_until_seconds', 'When the certificate ends, in seconds since 1970.', () =>
      watched.map(({ of, identity }) => ({ labels: { of }, value: validUntilMs(identity.current) / MS_PER_S })),
    ),
  ];
}
