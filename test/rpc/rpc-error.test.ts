import { status } from '@grpc/grpc-js';
import test from 'ava';
import { PortCallError } from '../../src/port-calls.js';
import { codeOf, RpcError } from '../../src/rpc/rpc-error.js';

const statusError = (code: number, details: string) =>
  Object.assign(new Error(`${code} ${details}`), { code, details });

const CASES: [name: string, thrown: unknown, code: string, message: string][] = [
  ['an RpcError', new RpcError('UNAVAILABLE', 'gone'), 'UNAVAILABLE', 'gone'],
  ['a gRPC status', statusError(status.FAILED_PRECONDITION, 'fenced'), 'FAILED_PRECONDITION', 'fenced'],
  ['an error that came over a port', new PortCallError('INVALID_ARGUMENT', 'no name'), 'INVALID_ARGUMENT', 'no name'],
  ['a port that closed', new PortCallError('PORT_CLOSED', 'gone'), 'INTERNAL', 'gone'],
  ['a code that only looks like a status', Object.assign(new Error('why'), { code: 'OK' }), 'INTERNAL', 'why'],
  ['a status number that gRPC does not have', statusError(99, 'odd'), 'UNKNOWN', 'odd'],
  ['OK, which is no error', statusError(status.OK, 'fine'), 'UNKNOWN', 'fine'],
  ['a system error', Object.assign(new Error('no such file'), { code: 'ENOENT' }), 'INTERNAL', 'no such file'],
  ['anything thrown', 'a string', 'INTERNAL', 'a string'],
];

for (const [name, thrown, code, message] of CASES) {
  test(`RpcError.from() of ${name}`, (t) => {
    const error = RpcError.from(thrown);
    t.is(error.code, code as never);
    t.is(error.message, message);
    t.true(thrown === error || error.cause === thrown);
  });
}

test('codeOf() and toStatus() are inverse for every code', (t) => {
  for (let code: number = status.CANCELLED; code <= status.UNAUTHENTICATED; code++) {
    t.deepEqual(new RpcError(codeOf(code), 'why').toStatus(), { code, details: 'why' });
  }
});
