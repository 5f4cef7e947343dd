// store-json.ts: the JSON of the store's answers, written as text without building objects first.

import { type ReadyBody, readyBody } from '../http/index.js';
import { priceText } from '../store-contract.js';

/** How many names keep their escaped form: more than any shelf of toys that is asked for all the time. */
const NAMES_KEPT_MAX = 4_096;

const productHeads = new Map<string, string>();

/** `{"data":{"name":…,"price":…,"quantity":…}}`: these fields, in this order. */
export function productJson(name: string, priceCents: number, quantity: number): string {
  return `${productHead(name)}${priceText(priceCents)},"quantity":${quantity}}}`;
}

/** The same as the body of an answer, ready to be sent any number of times. */
export function productBody(name: string, priceCents: number, quantity: number): ReadyBody {
  return readyBody(productJson(name, priceCents, quantity));
}

/** `{"data":{"order_number":…}}` */
export function orderNumberJson(orderNumber: number): string {
  return `{"data":{"order_number":${orderNumber}}}`;
}

/** `{"data":{"number":…,"name":…,"quantity":…}}` */
export function orderJson(number: number, name: string, quantity: number): string {
  return `{"data":{"number":${number},"name":${JSON.stringify(name)},"quantity":${quantity}}}`;
}

// Escaping a name costs more than all the rest of an answer; the names asked for are few.
function productHead(name: string): string {
  let head = productHeads.get(name);
  if (head === undefined) {
    head = `{"data":{"name":${JSON.stringify(name)},"price":`;
    if (productHeads.size >= NAMES_KEPT_MAX) productHeads.clear();
    productHeads.set(name, head);
  }
  return head;
}
