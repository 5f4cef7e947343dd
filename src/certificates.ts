// certificates.ts: which certificates the settings name, and whether they can be used.

import type { Log } from './log.js';
import type { ServiceName, Settings } from './settings.js';
import { StartError } from './start-error.js';
import { IdentityError, type IdentityFiles, readIdentity } from './tls/tls-identity.js';
import { WatchedIdentity } from './tls/watched-identity.js';

/** Names of the identities of a process, for its threads. */
export const HTTPS_IDENTITY = 'tls:https';
export const PEER_IDENTITY = 'tls:peers';

/** The front end's certificate for HTTPS, watched; undefined: plain HTTP. @throws StartError */
export function openHttpsIdentity(settings: Settings, log: Log): WatchedIdentity | undefined {
  const files = httpsFiles(settings);
  return files && orStartError(() => new WatchedIdentity(HTTPS_IDENTITY, files, log));
}

/** The certificate that a service shows to the others, watched; undefined: no TLS among them. @throws StartError */
export function openPeerIdentity(settings: Settings, service: ServiceName, log: Log): WatchedIdentity | undefined {
  const files = peerFiles(settings, [service]);
  return files && orStartError(() => new WatchedIdentity(PEER_IDENTITY, files, log));
}

/** Whether a process with these settings reads certificates: then SIGHUP means to read them again. */
export function usesCertificates({ tlsCert, grpcTlsCert }: Settings): boolean {
  return tlsCert !== undefined || grpcTlsCert !== undefined;
}

/** Refuses certificates with which these services could not serve. @throws StartError */
export function requireCertificates(settings: Settings, services: readonly ServiceName[]): void {
  const https = services.includes('frontend') ? httpsFiles(settings) : undefined;
  for (const files of [https, peerFiles(settings, services)]) {
    if (files !== undefined) orStartError(() => readIdentity(files));
  }
}

function httpsFiles({ tlsCert, tlsKey }: Settings): IdentityFiles | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return {
    certificate: { setting: 'TLS_CERT', path: tlsCert },
    key: { setting: 'TLS_KEY', path: tlsKey },
    roles: ['serverAuth'],
  };
}

/** @param services that show it: the front end is a client of the others, the order service client and server */
export function peerFiles(settings: Settings, services: readonly ServiceName[]): IdentityFiles | undefined {
  const { grpcTlsCert, grpcTlsKey, grpcTlsCa } = settings;
  if (grpcTlsCert === undefined || grpcTlsKey === undefined || grpcTlsCa === undefined) return undefined;
  const serves = services.some((service) => service !== 'frontend');
  const asks = services.some((service) => service !== 'catalog');
  return {
    certificate: { setting: 'GRPC_TLS_CERT', path: grpcTlsCert },
    key: { setting: 'GRPC_TLS_KEY', path: grpcTlsKey },
    authorities: { setting: 'GRPC_TLS_CA', path: grpcTlsCa },
    roles: [...(serves ? (['serverAuth'] as const) : []), ...(asks ? (['clientAuth'] as const) : [])],
  };
}

function orStartError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof IdentityError ? new StartError(error.message) : error;
  }
}
