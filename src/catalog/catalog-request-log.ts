// catalog-request-log.ts: what one thread of the catalog writes about the requests that it has answered or refused. Each
// of these costs one comparison unless the level is `debug`.

import type {
  FindToysRequest,
  FindToysResponse,
  ProcessOrdersResponse,
  Purchase,
} from '../../proto/gen/toystore/v1/catalog.js';
import type { Log } from '../log.js';
import { fittingRequestId, loggedRequestId } from '../request-id.js';
import { namesIn, SlowRequestLog } from '../request-log.js';
import type { RpcError } from '../rpc/index.js';
import { type Span, traceFields, traceIdsOf } from '../tracing/index.js';

type Spans = readonly (Span | undefined)[];

export class CatalogRequestLog {
  readonly #log: Log;
  readonly #isDebug: boolean;
  readonly #slow: SlowRequestLog;

  constructor(log: Log) {
    this.#log = log;
    this.#isDebug = log.isOn('debug');
    this.#slow = new SlowRequestLog(log);
  }

  /** Finds were answered. @param spans of those that are recorded, in the order of the names */
  found(
    { names, requestIds }: Omit<FindToysRequest, 'traceparents'>,
    { results }: Pick<FindToysResponse, 'results'>,
    spans?: Spans,
  ): void {
    if (!this.#isDebug) return;
    for (let index = 0; index < names.length; index++) {
      const trace = traceFields(spans?.[index]);
      this.#debug('find', requestIds[index], names[index]!, { result: results[index], ...trace });
    }
  }

  /** Purchases were answered. @param startedAtMs when they came, on the clock of performance.now() */
  purchased(
    purchases: readonly Purchase[],
    { results }: ProcessOrdersResponse,
    startedAtMs: number,
    spans?: Spans,
  ): void {
    this.#slow.look(
      'ProcessOrders',
      startedAtMs,
      () => idsOf(purchases),
      () => spans && traceIdsOf(spans),
    );
    if (!this.#isDebug) return;
    for (let index = 0; index < purchases.length; index++) {
      const { requestId, name, quantity } = purchases[index]!;
      this.#debug('purchase', requestId, name, { quantity, result: results[index], ...traceFields(spans?.[index]) });
    }
  }

  /** A message of purchases was refused as a whole. */
  refused(purchases: readonly Purchase[], { code, message }: RpcError): void {
    if (this.#isDebug)
      this.#log.debug('purchases refused', { code, error: message, requestIds: namesIn(idsOf(purchases)) });
  }

  #debug(message: string, requestId: string | undefined, name: Uint8Array, more: Record<string, unknown>): void {
    const id = loggedRequestId(fittingRequestId(requestId));
    this.#log.debug(message, { requestId: id, name: Buffer.from(name).toString(), ...more });
  }
}

function idsOf(purchases: readonly Purchase[]): string[] {
  return purchases.map(({ requestId }) => fittingRequestId(requestId));
}
