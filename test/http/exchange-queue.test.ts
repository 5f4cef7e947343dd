import test from 'ava';
import { AnswerWriter } from '../../src/http/server/answer-writer.js';
import { ExchangeQueue } from '../../src/http/server/exchange-queue.js';
import { SessionExchange } from '../../src/http/server/session-exchange.js';
import { bytesKeptByScavenges } from '../support/scavenged-heap.js';

test('answered exchanges of a pipeline that never runs dry are freed by scavenges', (t) => {
  // So many that a chain of them is far more than the code that is compiled meanwhile.
  const exchanges = 20_000;
  const queue = new ExchangeQueue<SessionExchange>();
  const owner = { writer: new AnswerWriter(0), answered() {}, streamed: () => true };
  queue.add(new SessionExchange(owner, undefined));
  const kept = bytesKeptByScavenges(exchanges, () => {
    queue.add(new SessionExchange(owner, undefined));
    queue.first!.send(200, '');
    queue.takeDueAnswers();
    queue.takeText();
  });
  t.is(queue.length, 1);
  t.true(kept < 50 * exchanges, `${kept} bytes of ${exchanges} exchanges`);
});
