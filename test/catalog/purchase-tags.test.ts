// PurchaseTags: what is remembered, and for how long.

import test from 'ava';
import { TAG_WINDOW } from '../../src/catalog/catalog-limits.js';
import { PurchaseTags } from '../../src/catalog/purchase-tags.js';
import { RESULT } from '../../src/store-contract.js';

const { DONE, NOT_ENOUGH_STOCK } = RESULT;

function newTags(): PurchaseTags {
  const tags = new PurchaseTags();
  tags.begin(1);
  return tags;
}

test('there is room for a window after the settled mark, and slots are used again', (t) => {
  const tags = newTags();
  t.true(tags.hasRoomFor(TAG_WINDOW));
  t.false(tags.hasRoomFor(TAG_WINDOW + 1));
  tags.remember(1, DONE);
  tags.settle(1);
  t.true(tags.hasRoomFor(TAG_WINDOW + 1));
  tags.remember(TAG_WINDOW + 1, NOT_ENOUGH_STOCK);
  t.is(tags.recall(TAG_WINDOW + 1), NOT_ENOUGH_STOCK);
  t.is(tags.recall(1), undefined);
});

test('sequences beyond 2^32 have slots of their own', (t) => {
  const tags = newTags();
  const far = 2 ** 40 + 5;
  tags.settle(far - 10);
  tags.remember(far, DONE);
  t.is(tags.recall(far), DONE);
  t.is(tags.recall(far - TAG_WINDOW), undefined);
  t.is(tags.recall(5), undefined);
});

test('a mark that falls behind is an old one', (t) => {
  const tags = newTags();
  t.true(tags.settle(10));
  t.false(tags.settle(4));
  t.is(tags.settledSequence, 10);
});

test('a new incarnation remembers nothing, and settles nothing before it has sent something', (t) => {
  const tags = newTags();
  tags.settle(3);
  tags.remember(4, DONE);
  tags.begin(2);
  t.is(tags.recall(4), undefined);
  t.deepEqual([tags.incarnation, tags.settledSequence, tags.settled], [2, 0, { incarnation: 1, sequence: 3 }]);
  t.true(tags.settle(0));
  t.deepEqual(tags.settled, { incarnation: 2, sequence: 0 });
});
