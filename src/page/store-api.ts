// store-api.ts: the store's HTTP interface as the page uses it, and what became of an order in the visitor's words.

/** An order that was placed. */
export interface PlacedOrder {
  readonly number: number;
  readonly name: string;
  readonly quantity: number;
}

/**
 * How an order ended. `open`: nobody knows yet; the same key finds it out. `refused`: nothing was sold, and the message
 * is the store's own.
 */
export type VisitorOutcome =
  | { readonly kind: 'sold'; readonly orderNumber: number }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  | { readonly kind: 'open'; readonly message: string };

/** An order is answered within 10 s; the rest is for the way. */
const ORDER_TIMEOUT_MS = 15_000;

/** Statuses after which the outcome of an order may be open (README, "Shopping"). */
const OPEN_STATUSES: ReadonlySet<number> = new Set([503, 504]);

/** Places an order. The same key never buys twice, however often it is sent. */
export async function sendOrder(name: string, quantity: number, key: string): Promise<VisitorOutcome> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch('/orders', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify({ name, quantity }),
      signal: AbortSignal.timeout(ORDER_TIMEOUT_MS),
    });
    body = await response.json();
  } catch {
    return { kind: 'open', message: 'The answer was lost on its way.' };
  }
  if (response.ok) {
    const { order_number: orderNumber } = (body as { data: { order_number: number } }).data;
    return { kind: 'sold', orderNumber };
  }
  const { message } = (body as { error: { message: string } }).error;
  if (OPEN_STATUSES.has(response.status)) return { kind: 'open', message: `${response.status}: ${message}` };
  return { kind: 'refused', status: response.status, message };
}

/** A new idempotency key; no other visitor will draw it. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
