// media-types.ts: what kind of content a file has, by the end of its name.

interface MediaType {
  readonly contentType: string;
  /** Whether its files get smaller by compression; those of other kinds are compressed already. */
  readonly isCompressible: boolean;
}

const text = (contentType: string): MediaType => ({
  contentType: `${contentType}; charset=utf-8`,
  isCompressible: true,
});
const binary = (contentType: string, isCompressible = false): MediaType => ({ contentType, isCompressible });

const UNKNOWN = binary('application/octet-stream');

const BY_EXTENSION: Readonly<Record<string, MediaType>> = {
  '.css': text('text/css'),
  '.html': text('text/html'),
  '.ico': binary('image/vnd.microsoft.icon', true),
  '.jpg': binary('image/jpeg'),
  '.js': text('text/javascript'), // RFC 9239
  '.json': binary('application/json', true),
  '.map': binary('application/json', true),
  '.mjs': text('text/javascript'),
  '.png': binary('image/png'),
  '.svg': text('image/svg+xml'),
  '.txt': text('text/plain'),
  '.wasm': binary('application/wasm', true),
  '.webmanifest': binary('application/manifest+json', true),
  '.webp': binary('image/webp'),
  '.woff2': binary('font/woff2'),
};

/** @param extension with its dot, in any case */
export function mediaType(extension: string): MediaType {
  const key = extension.toLowerCase();
  return Object.hasOwn(BY_EXTENSION, key) ? BY_EXTENSION[key]! : UNKNOWN;
}
