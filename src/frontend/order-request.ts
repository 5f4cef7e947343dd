// order-request.ts: the body and the key of `POST /orders`, read and checked. Pure: bytes in, an order or a refusal out.

/** The longest name of a toy, in bytes of UTF-8. */
export const NAME_BYTES_MAX = 64;
/** What a quantity can be at most: stock is kept in 32 bits. */
export const QUANTITY_MAX = 4_294_967_295;
/** The longest `Idempotency-Key`, in characters. */
const KEY_LENGTH_MAX = 64;

/** What a customer asks for. */
export interface OrderRequest {
  /** 1 to 64 bytes in UTF-8. */
  readonly name: string;
  /** 1 to 4294967295. */
  readonly quantity: number;
}

/** Why a request is not an order. */
export interface Refusal {
  readonly status: 400 | 415;
  readonly message: string;
}

// The reason is part of the answer, so each says what the customer must change.
const NOT_JSON: Refusal = { status: 415, message: 'the body must be application/json' };
const MALFORMED: Refusal = { status: 400, message: 'the body is not valid JSON' };
const NOT_AN_OBJECT: Refusal = { status: 400, message: 'the body must be a JSON object' };
const NAME_TYPE: Refusal = { status: 400, message: 'name must be a string' };
const NAME_LENGTH: Refusal = { status: 400, message: `name must have 1 to ${NAME_BYTES_MAX} bytes of UTF-8` };
const QUANTITY_TYPE: Refusal = { status: 400, message: 'quantity must be a positive whole number' };
const QUANTITY_RANGE: Refusal = { status: 400, message: `quantity must be at most ${QUANTITY_MAX}` };
const KEY_FORM: Refusal = {
  status: 400,
  message: `Idempotency-Key must be 1 to ${KEY_LENGTH_MAX} visible ASCII characters`,
};

/** `application/json` with any parameters (RFC 9110 section 5.6.6), which mean nothing for it (RFC 8259 section 11). */
const JSON_MEDIA_TYPE =
  /^[ \t]*application\/json[ \t]*(?:;[ \t]*(?:[\w!#$%&'*+.^`|~-]+[ \t]*=[ \t]*(?:[\w!#$%&'*+.^`|~-]+|"(?:[^"\\]|\\.)*")[ \t]*)?)*$/i;
/** Only a charset that it cannot have is heeded: the bytes would be misread (RFC 8259 section 8.1). */
const OTHER_CHARSET = /;[ \t]*charset[ \t]*=(?![ \t]*"?utf-8"?[ \t]*(?:;|$))/i;
const VISIBLE_ASCII = new RegExp(`^[\\x21-\\x7e]{1,${KEY_LENGTH_MAX}}$`);

// A byte order mark is kept, and so refused by JSON.parse: RFC 8259 section 8.1 lets no sender add one.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The order in a request's body, or why there is none. Members other than `name` and `quantity` are ignored. */
export function parseOrderRequest(contentType: string | undefined, body: Uint8Array): OrderRequest | Refusal {
  if (contentType === undefined || !isJson(contentType)) return NOT_JSON;
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    return MALFORMED;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOT_AN_OBJECT;
  const { name, quantity } = value as Record<string, unknown>;
  if (typeof name !== 'string') return NAME_TYPE;
  if (!isName(name)) return NAME_LENGTH;
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1) return QUANTITY_TYPE;
  if (quantity > QUANTITY_MAX) return QUANTITY_RANGE;
  return { name, quantity };
}

/** What nearly all send is compared first: that takes a twentieth of the expression's time. */
function isJson(contentType: string): boolean {
  if (contentType === 'application/json') return true;
  return JSON_MEDIA_TYPE.test(contentType) && !OTHER_CHARSET.test(contentType);
}

/** Whether `key` can be an idempotency key; if not, the refusal. */
export function checkKey(key: string): Refusal | undefined {
  return VISIBLE_ASCII.test(key) ? undefined : KEY_FORM;
}

/** Whether a toy could have that name: 1 to 64 bytes in UTF-8. */
export function isName(name: string): boolean {
  // A UTF-16 unit is three bytes at most, so short names need not be measured.
  const fits = name.length * 3 <= NAME_BYTES_MAX || Buffer.byteLength(name) <= NAME_BYTES_MAX;
  return name !== '' && fits && name.isWellFormed();
}
