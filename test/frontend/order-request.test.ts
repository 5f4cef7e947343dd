import test from 'ava';
import fc from 'fast-check';
import { checkContentType, checkKey, parseOrder } from '../../src/frontend/order-request.js';
import { NAME_BYTES_MAX, QUANTITY_MAX } from '../../src/store-contract.js';

const orders: [body: string, name: string, quantity: number][] = [
  ['{"name":"Tux","quantity":1}', 'Tux', 1],
  [' {\n"quantity" : 4294967295 , "name" : "Whale" } ', 'Whale', QUANTITY_MAX],
  ['{"name":"Tux","quantity":1e2}', 'Tux', 100],
  ['{"name":"Tux","quantity":2.0,"colour":"red"}', 'Tux', 2],
  ['{"name":"Pingüino 🐧","quantity":1}', 'Pingüino 🐧', 1],
  ['{"name":"\\u0054ux","quantity":1}', 'Tux', 1],
  ['{"__proto__":{"name":"Fox"},"name":"Tux","quantity":1}', 'Tux', 1],
  [`{"name":"${'x'.repeat(NAME_BYTES_MAX)}","quantity":1}`, 'x'.repeat(NAME_BYTES_MAX), 1],
];

for (const [body, name, quantity] of orders) {
  test(`an order: ${body.slice(0, 60)}`, (t) => {
    t.deepEqual(parseOrder(Buffer.from(body)), { name, quantity });
  });
}

const refusals: [why: string, body: string | Buffer, message: RegExp][] = [
  ['empty', '', /not valid JSON/],
  ['cut short', '{"name":"Tux","quantity":1', /not valid JSON/],
  ['single quotes', "{'name':'Tux','quantity':1}", /not valid JSON/],
  ['a byte order mark', '\ufeff{"name":"Tux","quantity":1}', /not valid JSON/],
  ['not UTF-8', Buffer.from('{"name":"T\xfcx","quantity":1}', 'latin1'), /not valid JSON/],
  ['an array', '[{"name":"Tux","quantity":1}]', /JSON object/],
  ['null', 'null', /JSON object/],
  ['a number', '7', /JSON object/],
  ['no name', '{"quantity":1}', /name must be a string/],
  ['a number as name', '{"name":5,"quantity":1}', /name must be a string/],
  ['a name only by inheritance', '{"__proto__":{"name":"Fox","quantity":1}}', /name must be a string/],
  ['an empty name', '{"name":"","quantity":1}', /1 to 64 bytes/],
  ['a name of 65 bytes', `{"name":"${'x'.repeat(65)}","quantity":1}`, /1 to 64 bytes/],
  ['a name of 33 characters and 66 bytes', `{"name":"${'ü'.repeat(33)}","quantity":1}`, /1 to 64 bytes/],
  ['half a surrogate pair', '{"name":"\\ud83d","quantity":1}', /1 to 64 bytes/],
  ['no quantity', '{"name":"Tux"}', /quantity must be a positive whole number/],
  ['a quantity in quotes', '{"name":"Tux","quantity":"1"}', /positive whole number/],
  ['half a toy', '{"name":"Tux","quantity":1.5}', /positive whole number/],
  ['no toy at all', '{"name":"Tux","quantity":0}', /positive whole number/],
  ['a toy back', '{"name":"Tux","quantity":-1}', /positive whole number/],
  ['true', '{"name":"Tux","quantity":true}', /positive whole number/],
  ['null as quantity', '{"name":"Tux","quantity":null}', /positive whole number/],
  ['a quantity past 32 bits', '{"name":"Tux","quantity":4294967296}', /at most 4294967295/],
  ['a quantity past all numbers', '{"name":"Tux","quantity":1e999}', /positive whole number/],
];

for (const [why, body, message] of refusals) {
  test(`400: ${why}`, (t) => {
    const refusal = parseOrder(Buffer.from(body));
    t.like(refusal, { status: 400 });
    t.regex('message' in refusal ? refusal.message : '', message);
  });
}

const mediaTypes: [contentType: string | undefined, accepted: boolean][] = [
  ['application/json', true],
  ['Application/JSON', true],
  ['application/json; charset=utf-8', true],
  ['application/json;charset="UTF-8"', true],
  ['application/json; charset = utf-8', true],
  ['application/json;', true],
  ['application/json; v=1', true],
  ['application/json; profile="a;b \\" c"; charset=UTF-8 ', true],
  ['application/json; charset=utf-8; v=1', true],
  ['application/json; charset=utf8', true],
  ['application/json;charset="UTF8"', true],
  ['application/json; CharSet=Utf-8; charset=utf8', true],
  ['application/json; charset="u\\tf-8"', true],
  ['application/json;;; v=1', true],
  ['application/json; profile="a; charset=latin1"', true],
  [undefined, false],
  ['', false],
  ['text/json', false],
  ['text/plain', false],
  ['application/jsonp', false],
  ['application/json; charset=iso-8859-1', false],
  ['application/json; v=1; charset = "iso-8859-1"', false],
  ['application/json; charset=utf-80', false],
  ['application/json; charset=utf-16', false],
  ["application/json; charset='utf-8'", false],
  ['application/json; charset=""', false],
  ['application/json; charset="utf-8', false],
  ['application/json; charset=utf-8; charset=latin1', false],
  ['application/json charset=utf-8', false],
  ['application/json; v', false],
  ['application/json, text/plain', false],
  ['application/x-www-form-urlencoded', false],
];

for (const [contentType, accepted] of mediaTypes) {
  test(`Content-Type ${contentType} is ${accepted ? 'read' : 'refused with 415'}`, (t) => {
    t.is(checkContentType(contentType)?.status, accepted ? undefined : 415);
  });
}

test('a refused charset is named, and a type that is not JSON is not blamed on a charset', (t) => {
  const messages: [contentType: string | undefined, message: string][] = [
    ['application/json; charset=iso-8859-1', 'JSON is read in utf-8, and not in the charset iso-8859-1'],
    ['application/json; v=1; charset="UTF-16"', 'JSON is read in utf-8, and not in the charset UTF-16'],
    [`application/json; charset=${'x'.repeat(100)}`, `JSON is read in utf-8, and not in the charset ${'x'.repeat(40)}`],
    ['text/plain; charset=iso-8859-1', 'the body must be application/json'],
    [undefined, 'the body must be application/json'],
  ];
  for (const [contentType, message] of messages) t.deepEqual(checkContentType(contentType), { status: 415, message });
});

test('no bytes make it throw', (t) => {
  const anyBody = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(anyBody, (body) => {
      const result = parseOrder(body);
      return 'status' in result ? result.status === 400 : result.quantity >= 1 && result.name !== '';
    }),
  );
  t.pass();
});

const keys: [key: string, accepted: boolean][] = [
  ['a', true],
  ['!', true],
  ['~'.repeat(64), true],
  ['550e8400-e29b-41d4-a716-446655440000', true],
  ['', false],
  ['a b', false],
  ['a\tb', false],
  ['a, b', false],
  ['ü', false],
  ['\x7f', false],
  ['x'.repeat(65), false],
];

for (const [key, accepted] of keys) {
  test(`Idempotency-Key ${JSON.stringify(key.slice(0, 40))} is ${accepted ? 'taken' : 'refused'}`, (t) => {
    t.is(checkKey(key)?.status, accepted ? undefined : 400);
  });
}
