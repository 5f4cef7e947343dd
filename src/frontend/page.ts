// page.ts: the page at `/`: its files, and the policy that lets it load and call nothing but this store.

import { fileURLToPath } from 'node:url';
import { type Router, StaticFiles } from '../http/index.js';

/** Made by scripts/build-page.js from src/page/. */
const SITE_FOLDER = fileURLToPath(new URL('../../site', import.meta.url));
const INDEX = 'index.html';
/** A folder whose name is a hash of all that is in it. */
const HASHED = /^assets\/[0-9a-f]{12}\//;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `GET /` and everything under `/assets/`. */
export function addPage(router: Router): Router {
  const files = new StaticFiles(SITE_FOLDER, {
    immutable: HASHED,
    headers: { 'Content-Security-Policy': POLICY, 'Referrer-Policy': 'no-referrer' },
  });
  files.addTo(router, '');
  return router.add('GET', '/', files.handler(INDEX));
}
