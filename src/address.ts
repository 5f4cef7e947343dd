// address.ts: host and port, read and written in one place: for settings, URLs, health checks and the load client.

/** A TCP endpoint. An IPv6 address stands here without brackets, as calls to connect and listen want it. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export const PORT_MAX = 65_535;
/** The origin of a web server: RFC 6454. */
export interface HttpOrigin extends Address {
  readonly scheme: 'http' | 'https';
}

/** What `http://host` means, and what URL leaves out of `http://host:80`. */
const PORT_OF_SCHEME = { http: 80, https: 443 } as const;
const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\],]+):(\d{1,5})$/;

/** The endpoint of a text such as `127.0.0.1:5001`, `catalog:5001` or `[::1]:5001`; undefined where it is none. */
export function parseAddress(text: string): Address | undefined {
  const match = HOST_AND_PORT.exec(text);
  const port = Number(match?.[2]);
  return match !== null && port <= PORT_MAX ? { host: withoutBrackets(match[1] as string), port } : undefined;
}

/** The origin of an `http://host:port` or `https://host:port` with nothing behind it but a slash; undefined otherwise. */
export function parseHttpUrl(text: string): HttpOrigin | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = (['http', 'https'] as const).find((name) => url?.protocol === `${name}:`);
  // Path, query, fragment, user and password: whatever there is stands in `href`, and nothing of it may.
  if (url === undefined || scheme === undefined || url.href !== `${scheme}://${url.host}/`) return undefined;
  const port = url.port === '' ? PORT_OF_SCHEME[scheme] : Number(url.port);
  return { scheme, host: withoutBrackets(url.hostname), port };
}

export function formatHttpUrl({ scheme, host, port }: HttpOrigin): string {
  return `${scheme}://${formatAddress(host, port)}`;
}

/** `host:port`, an IPv6 address in brackets. */
export function formatAddress(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where a service that listens on `host` is found from this machine: a wildcard address means loopback. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
