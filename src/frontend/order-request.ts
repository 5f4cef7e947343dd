// order-request.ts: the body and the key of `POST /orders`, read and checked. Pure: bytes in, an order or a refusal out.

import { isKey, isName, KEY_CHARACTERS_MAX, NAME_BYTES_MAX, QUANTITY_MAX } from '../store-contract.js';

/** What a customer asks for. */
interface OrderBody {
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
  message: `Idempotency-Key must be 1 to ${KEY_CHARACTERS_MAX} visible ASCII characters`,
};

// RFC 9110 5.6.6 and 8.3.1: a type, then parameters, of which a semicolon may have none behind it.
const JSON_MEDIA_TYPE = /^[ \t]*application\/json[ \t]*/i;
const PARAMETER = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)[ \t]*=[ \t]*([\w!#$%&'*+.^`|~-]+|"(?:[^"\\]|\\.)*")[ \t]*)?/y;
/** What JSON is written in (RFC 8259 section 8.1), and how many call it. */
const JSON_CHARSETS = new Set(['utf-8', 'utf8']);
/** No charset that anybody means is longer. */
const CHARSET_SHOWN_MAX = 40;

// A byte order mark is kept, and so refused by JSON.parse: RFC 8259 section 8.1 lets no sender add one.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Whether a body of that `Content-Type` is read; if not, the refusal. Of the parameters, which mean nothing for JSON
 * (RFC 8259 section 11), only a charset that it cannot have is heeded: its bytes would be misread.
 */
export function checkContentType(contentType: string | undefined): Refusal | undefined {
  if (contentType === 'application/json') return undefined; // nearly all, in a twentieth of the time
  const type = contentType === undefined ? null : JSON_MEDIA_TYPE.exec(contentType);
  if (contentType === undefined || type === null) return NOT_JSON;
  let end = type[0].length;
  while (end < contentType.length) {
    PARAMETER.lastIndex = end;
    const parameter = PARAMETER.exec(contentType);
    if (parameter === null) return NOT_JSON;
    const [whole, name = '', value = ''] = parameter;
    if (name.toLowerCase() === 'charset' && !JSON_CHARSETS.has(unquoted(value).toLowerCase()))
      return otherCharset(value);
    end += whole.length;
  }
  return undefined;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}

function otherCharset(value: string): Refusal {
  const shown = unquoted(value).slice(0, CHARSET_SHOWN_MAX);
  return { status: 415, message: `JSON is read in utf-8, and not in the charset ${shown}` };
}

/** The order in a request's body, or why there is none. Members other than `name` and `quantity` are ignored. */
export function parseOrder(body: Uint8Array): OrderBody | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    return MALFORMED;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NOT_AN_OBJECT;
  const { name, quantity } = value as Record<string, unknown>;
  if (typeof name !== 'string') return NAME_TYPE;
  if (!isName(name) || !name.isWellFormed()) return NAME_LENGTH;
  if (typeof quantity !== 'number' || !Number.isInteger(quantity) || quantity < 1) return QUANTITY_TYPE;
  if (quantity > QUANTITY_MAX) return QUANTITY_RANGE;
  return { name, quantity };
}

/** Whether `key` can be an idempotency key; if not, the refusal. */
export function checkKey(key: string): Refusal | undefined {
  return key !== '' && isKey(key) ? undefined : KEY_FORM;
}
