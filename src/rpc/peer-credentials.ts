// peer-credentials.ts: TLS for a channel of grpc-js, with a certificate of its own, and the authorities by which it knows the
// server. Each connection takes the identity that is the present one then.
//
// grpc-js's own would do but for one thing: it names every server in the handshake by what stands in its address, and
// Node.js 26 throws where that is an IP address (RFC 6066 3 knows host names only; Node.js 20 and 24 warn, DEP0123). Here
// an address of numbers is checked against the certificate, and not named.

import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type SecureContext } from 'node:tls';
import { CallCredentials, ChannelCredentials, type experimental } from '@grpc/grpc-js';
import { parseAddress } from '../address.js';
import type { TlsIdentity } from '../tls/tls-identity.js';

type SecureConnectorMaker = ChannelCredentials['_createSecureConnector'];

export class PeerCredentials extends ChannelCredentials {
  readonly #isNameChecked: boolean;
  #context: SecureContext;

  /** @param isNameChecked whether the certificate must name the host of the address. Default: true. */
  constructor(identity: TlsIdentity, { isNameChecked = true } = {}) {
    super();
    this.#context = contextOf(identity);
    this.#isNameChecked = isNameChecked;
  }

  /** The identity of connections to come. */
  update(identity: TlsIdentity): void {
    this.#context = contextOf(identity);
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    ...[target, , callCredentials = CallCredentials.createEmpty()]: Parameters<SecureConnectorMaker>
  ): experimental.SecureConnector {
    const host = parseAddress(target.path)?.host ?? target.path;
    return {
      connect: async (socket) => ({ socket: await this.#secure(socket, host), secure: true }),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy: () => undefined,
    };
  }

  #secure(socket: Socket, host: string): Promise<Socket> {
    const options: ConnectionOptions = {
      socket,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      secureContext: this.#context,
      ALPNProtocols: ['h2'],
      ...(this.#isNameChecked ? {} : { checkServerIdentity: () => undefined }),
    };
    return new Promise((resolve, reject) => {
      const secured = connect(options, () => resolve(secured));
      secured.on('error', reject);
      secured.on('close', () => reject(new Error('the peer has closed the connection in the handshake')));
    });
  }
}

function contextOf({ certificate, key, authorities }: TlsIdentity): SecureContext {
  return createSecureContext({
    cert: certificate,
    key,
    ...(authorities === undefined ? {} : { ca: authorities }),
    minVersion: 'TLSv1.2',
  });
}
