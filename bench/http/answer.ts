// answer.ts: what every server of this comparison answers to every request.

export const TARGET = '/products/Tux';
export const BODY = '{"data":{"name":"Tux","price":15.99,"quantity":100}}';

/** The servers that are compared; each runs in a process of its own, on one thread. */
export const SERVERS = ['raw socket', 'toystore', 'node:http'] as const;
export type ServerName = (typeof SERVERS)[number];
