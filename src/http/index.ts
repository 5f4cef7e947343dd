// index.ts: the face of the HTTP/1.1 library. It knows no route and no product; who uses it brings handlers.

export type { ClientConnectionOptions, ClientResponse, RequestOptions } from './client-connection.js';
export { ClientConnection } from './client-connection.js';
export type { Exchange, Handler } from './exchange.js';
// For those who need bytes and events without a connection: parsers, and heads as they read them.
export type { FieldTable } from './field-table.js';
export type { HttpErrorCode } from './http-error.js';
export { HTTP_ERROR_CODES, HttpError } from './http-error.js';
export type { HttpLimits } from './limits.js';
export { DEFAULT_LIMITS, httpLimits } from './limits.js';
export type { MessageHead, RequestHead, ResponseHead } from './message-head.js';
export type { ParserEvent } from './message-parser.js';
export { type PreparedHeaders, prepareHeaders } from './prepared-headers.js';
export { RequestParser } from './request-parser.js';
export { ResponseParser } from './response-parser.js';
export type { RouteOptions } from './router.js';
export { Router } from './router.js';
export type { HttpServerOptions, HttpServerStats } from './server.js';
export { HttpServer } from './server.js';
