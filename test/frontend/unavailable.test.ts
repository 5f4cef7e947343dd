// What a customer is told when a backend did not answer: what is the matter, and whether to try again.
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { unavailableAnswer } from '../../src/frontend/store-handlers.js';
import { RpcError } from '../../src/rpc/index.js';

const ROWS: [error: unknown, code: number, message: string][] = [
  [new RpcError('DEADLINE_EXCEEDED', 'late'), 504, 'the catalog did not answer in time'],
  [new RpcError('UNAVAILABLE', 'gone'), 503, 'the catalog cannot be reached'],
  [new RpcError('RESOURCE_EXHAUSTED', 'full'), 503, 'too many requests wait for the catalog already'],
  [new RpcError('INTERNAL', 'odd'), 503, 'the catalog did not answer as its protocol says (INTERNAL)'],
  [
    Object.assign(new Error('no such method'), { code: status.UNIMPLEMENTED }),
    503,
    'the catalog did not answer as its protocol says (UNIMPLEMENTED)',
  ],
  [new TypeError('a fault of ours'), 503, 'the catalog did not answer as its protocol says (INTERNAL)'],
];

for (const [error, code, message] of ROWS) {
  test(`${error} is ${code}: ${message}`, (t) => {
    const answer = unavailableAnswer(error, 'the catalog');
    t.is(answer.status, code);
    t.is(answer.message, message);
    t.is(answer.headers?.lines.includes('Retry-After: 1') ?? false, code === 503);
  });
}
