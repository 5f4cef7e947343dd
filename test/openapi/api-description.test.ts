// The judge itself: answers that are not as described are found out.

import test from 'ava';
import type { RawAnswer } from '../support/raw-http.js';
import { ApiDescription } from './api-description.js';

const FILE = new URL('../../../openapi.yaml', import.meta.url);
const PRODUCT = '{"data":{"name":"Tux","price":15.99,"quantity":100}}';
const ERROR = '{"error":{"code":503,"message":"try again"}}';

function answer(status: number, body: string, headers: Record<string, string> = {}): RawAnswer {
  return { status, body, headers: { 'content-type': 'application/json', ...headers } };
}

const rows: [what: string, method: string, target: string, answer: RawAnswer, complaint?: RegExp][] = [
  ['a product', 'GET', '/products/Tux', answer(200, PRODUCT)],
  ['an error under default', 'GET', '/products/Tux', answer(431, '{"error":{"code":431,"message":"too large"}}')],
  ['a refusal', 'GET', '/products/Tux', answer(503, ERROR, { 'retry-after': '1' })],
  ['a head', 'HEAD', '/products/Tux', answer(200, '')],
  ['a missing field', 'GET', '/products/Tux', answer(200, '{"data":{"name":"Tux","quantity":1}}'), /price/],
  ['one field more', 'GET', '/products/Tux', answer(200, PRODUCT.replace('"price"', '"id":1,"price"')), /additional/],
  ['a price as text', 'GET', '/products/Tux', answer(200, PRODUCT.replace('15.99', '"15.99"')), /number/],
  ['half a toy', 'GET', '/products/Tux', answer(200, PRODUCT.replace('100', '0.5')), /integer/],
  ['no Retry-After', 'GET', '/products/Tux', answer(503, ERROR), /Retry-After is missing/],
  ['a Retry-After in words', 'GET', '/products/Tux', answer(503, ERROR, { 'retry-after': 'soon' }), /Retry-After/],
  ['another type', 'GET', '/products/Tux', answer(200, PRODUCT, { 'content-type': 'text/html' }), /text\/html/],
  ['a body with a head', 'HEAD', '/products/Tux', answer(200, PRODUCT), /body/],
  ['a path that is not there', 'GET', '/toys/Tux', answer(200, PRODUCT), /no operation/],
  ['a method that is not there', 'POST', '/products/Tux', answer(200, PRODUCT), /no operation/],
  ['a status that is not there', 'GET', '/healthz', answer(418, ERROR), /not described/],
];

for (const [what, method, target, given, complaint] of rows) {
  test(`${complaint === undefined ? 'accepted' : 'found out'}: ${what}`, async (t) => {
    const description = await ApiDescription.read(FILE);
    const complaints = description.check(method, target, given).join('; ');
    if (complaint === undefined) t.is(complaints, '');
    else t.regex(complaints, complaint);
  });
}

test('unseen answers are those that were not checked', async (t) => {
  const description = await ApiDescription.read(FILE);
  t.true(description.unseen().includes('isAlive 200'));
  description.check('GET', '/healthz', answer(200, '{"data":{"status":"ok"}}'));
  t.false(description.unseen().includes('isAlive 200'));
});
