// rpc-error.ts: the one error of this package. Its codes are gRPC's own names, all of them and no others, so that what a
// peer says and what we find out ourselves (a deadline, a full queue) are told with the same words.
//
// `sent` is what a caller needs to know before it tries again or tells a user: false means that the peer never saw the
// request and certainly did nothing; true means that it may have acted on it.
//
// Codes: https://grpc.io/docs/guides/status-codes/

import { type StatusObject, status } from '@grpc/grpc-js';

/** The name of a gRPC status other than OK. */
export type RpcCode = Exclude<keyof typeof status, 'OK'>;

export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: RpcCode;
  /** Whether the peer may have acted on the request. */
  readonly sent: boolean;

  constructor(code: RpcCode, message: string, options: { sent?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.sent = options.sent ?? false;
  }

  /** The same error as grpc-js handlers want it, in a unary callback for example. */
  toStatus(): Pick<StatusObject, 'code' | 'details'> {
    return { code: status[this.code], details: this.message };
  }

  /**
   * Whatever a call failed with, as an RpcError.
   * - an RpcError stays what it is
   * - an error with a gRPC status number, as grpc-js gives them, keeps that code; its details become the message
   * - an error with the name of a gRPC status as its code, as port calls give them, keeps that code
   * - anything else is INTERNAL, with the original as `cause`
   */
  static from(error: unknown, sent = false): RpcError {
    if (error instanceof RpcError) return error;
    if (error instanceof Error && 'code' in error && isRpcCode(error.code)) {
      return new RpcError(error.code, error.message, { sent, cause: error });
    }
    if (error instanceof Error && 'code' in error && typeof error.code === 'number') {
      const details = 'details' in error && typeof error.details === 'string' ? error.details : error.message;
      return new RpcError(codeOf(error.code), details, { sent, cause: error });
    }
    return new RpcError('INTERNAL', error instanceof Error ? error.message : String(error), { sent, cause: error });
  }
}

/** The name of a gRPC status number; UNKNOWN where the number is none of gRPC's, or OK, which is no error. */
export function codeOf(statusNumber: number): RpcCode {
  const name = status[statusNumber];
  return name === undefined || name === 'OK' ? 'UNKNOWN' : (name as RpcCode);
}

function isRpcCode(code: unknown): code is RpcCode {
  return typeof code === 'string' && code !== 'OK' && typeof status[code as RpcCode] === 'number';
}
