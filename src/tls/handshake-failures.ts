// handshake-failures.ts: why a TLS handshake came to nothing, in few enough words to count by. What a stranger sends must
// not make up names of its own.

/** Words for a count; docs/tls.md says what each means. */
export const HANDSHAKE_FAILURES = [
  'timeout',
  'not-tls',
  'plain-http',
  'version',
  'cipher',
  'alpn',
  'no-certificate',
  'wrong-certificate',
  'refused-by-peer',
  'closed',
  'other',
] as const;

export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

/** Codes of node:tls; those of OpenSSL are its reasons, in upper case. */
const BY_CODE: Readonly<Record<string, HandshakeFailure>> = {
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_HTTP_REQUEST: 'plain-http',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'plain-http',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'alpn',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'no-certificate',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
};

/**
 * @param code of the error
 * @param authorizationError what node:tls found wrong with the peer's certificate, if it got one
 */
export function handshakeFailure(code: string | undefined, authorizationError: unknown): HandshakeFailure {
  if (authorizationError) return 'wrong-certificate';
  if (code === undefined) return 'other';
  return BY_CODE[code] ?? (/_ALERT_/.test(code) ? 'refused-by-peer' : 'other');
}
