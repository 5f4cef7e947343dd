// index.ts: the face of the HTTP/1.1 library. It knows no route and no product; who uses it brings handlers.

export type { ClientConnectionOptions, ClientResponse, RequestOptions } from './client-connection.js';
export { ClientConnection } from './client-connection.js';
export type { StaticFilesOptions } from './files/static-files.js';
export { StaticFiles, StaticFilesError } from './files/static-files.js';
export type { HttpErrorCode } from './http-error.js';
export { HTTP_ERROR_CODES, HttpError } from './http-error.js';
export type { HttpLimits } from './limits.js';
export { DEFAULT_LIMITS, httpLimits } from './limits.js';
// For those who need bytes and events without a connection: parsers, and heads as they read them.
export type { FieldTable } from './parser/field-table.js';
export type { MessageHead, RequestHead, ResponseHead } from './parser/message-head.js';
export type { ParserEvent } from './parser/message-parser.js';
export { RequestParser } from './parser/request-parser.js';
export { ResponseParser } from './parser/response-parser.js';
export { type ReadyBody, readyBody } from './server/answer-writer.js';
export type { Exchange, Handler } from './server/exchange.js';
export type { HttpServerOptions, HttpServerStats } from './server/http-server.js';
export { HttpServer } from './server/http-server.js';
export { type PreparedHeaders, prepareHeaders } from './server/prepared-headers.js';
export type { ResponseStream, StreamEvents } from './server/response-stream.js';
export type { HeadAnswer, RouteOptions } from './server/router.js';
export { Router } from './server/router.js';
