// catalog-status.ts: which gRPC status each error of the catalog is.

import { type RpcCode, RpcError } from '../rpc/index.js';
import { CatalogError, type CatalogErrorCode } from './catalog-error.js';

const RPC_CODES: Record<CatalogErrorCode, RpcCode> = {
  BAD_FILE: 'INTERNAL',
  BAD_JOURNAL: 'INTERNAL',
  FOREIGN_INCARNATION: 'FAILED_PRECONDITION',
  SETTLED_TAG: 'FAILED_PRECONDITION',
  TAG_WINDOW: 'RESOURCE_EXHAUSTED',
  BAD_PURCHASE: 'INVALID_ARGUMENT',
  NOT_JOURNALED: 'UNAVAILABLE',
  STOPPED: 'UNAVAILABLE',
  BOOKS_DIFFER: 'FAILED_PRECONDITION',
  LOCK_TIMEOUT: 'UNAVAILABLE',
  LEASES_OPEN: 'UNAVAILABLE',
  REPLACED: 'ABORTED',
  NOT_OWNER: 'UNAVAILABLE',
};

export function toRpcError(error: unknown): RpcError {
  if (error instanceof CatalogError) return new RpcError(RPC_CODES[error.code], error.message, { cause: error });
  return RpcError.from(error);
}
