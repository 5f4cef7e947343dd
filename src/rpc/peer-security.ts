// peer-security.ts: how the services of a store know each other, for the servers and clients of one thread: by certificates
// of both sides (mutual TLS), or not at all.
//
//   server: socket ─► TlsTerminator, which asks for the client's certificate ─► gRPC       strangers get no further
//   client: channel ─► the server's certificate, by authority and by name, shows its own ─► gRPC
//
// TLS is taken off before grpc-js gets a connection, rather than by its own credentials: so the time-out, the counts and the
// change of certificates are those of HTTPS.

import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import type { TlsIdentity } from '../tls/tls-identity.js';
import { TlsTerminator, type TlsTerminatorOptions } from '../tls/tls-terminator.js';
import { PeerCredentials } from './peer-credentials.js';

/** Peers are services near by, not customers: what takes longer is none of them. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

export class PeerSecurity {
  readonly #credentials: PeerCredentials | undefined;
  readonly #terminators = new Set<TlsTerminator>();
  #identity: TlsIdentity | undefined;

  /** @param identity with the authorities of the peers; undefined: no TLS */
  constructor(identity: TlsIdentity | undefined) {
    this.#identity = identity;
    this.#credentials = identity && new PeerCredentials(identity);
  }

  /** For every channel of this thread. */
  get credentials(): ChannelCredentials {
    return this.#credentials ?? credentials.createInsecure();
  }

  /** What a server puts in front of itself; undefined: nothing. */
  createTerminator(onSecure: TlsTerminatorOptions['onSecure']): TlsTerminator | undefined {
    if (this.#identity === undefined) return undefined;
    const terminator = new TlsTerminator({
      identity: this.#identity,
      protocol: 'h2',
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      onSecure,
    });
    this.#terminators.add(terminator);
    return terminator;
  }

  /** The identity of connections to come; those that there are go on with theirs. */
  update(identity: TlsIdentity): void {
    this.#identity = identity;
    this.#credentials?.update(identity);
    for (const terminator of this.#terminators) terminator.setIdentity(identity);
  }
}
