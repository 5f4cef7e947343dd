// PurchaseTags: what is remembered, for how long, and what an undoing makes of it.

import test from 'ava';
import { TAG_WINDOW } from '../../src/catalog/catalog-limits.js';
import { NOT_ENOUGH_STOCK, NOT_SELLING, SOLD } from '../../src/catalog/purchase-outcome.js';
import { PurchaseTags } from '../../src/catalog/purchase-tags.js';

function newTags(): PurchaseTags {
  const tags = new PurchaseTags(new SharedArrayBuffer(PurchaseTags.BYTES));
  tags.begin(1, 0);
  return tags;
}

test('outcomes are remembered for every attachment', (t) => {
  const memory = new SharedArrayBuffer(PurchaseTags.BYTES);
  const tags = new PurchaseTags(memory);
  tags.begin(7, 0);
  tags.remember(1, SOLD, 10);
  tags.remember(2, NOT_ENOUGH_STOCK, 10);
  const other = new PurchaseTags(memory);
  t.is(other.incarnation, 7);
  t.deepEqual(
    [1, 2, 3].map((sequence) => other.recall(sequence)),
    [SOLD, NOT_ENOUGH_STOCK, undefined],
  );
});

test('there is room for a window after the settled mark, and slots are used again', (t) => {
  const tags = newTags();
  t.true(tags.hasRoomFor(TAG_WINDOW));
  t.false(tags.hasRoomFor(TAG_WINDOW + 1));
  tags.remember(1, SOLD, 1);
  tags.settle(1);
  t.true(tags.hasRoomFor(TAG_WINDOW + 1));
  tags.remember(TAG_WINDOW + 1, NOT_ENOUGH_STOCK, 2);
  t.is(tags.recall(TAG_WINDOW + 1), NOT_ENOUGH_STOCK);
  t.is(tags.recall(1), undefined);
});

test('sequences beyond 2^32 have slots of their own', (t) => {
  const tags = newTags();
  const far = 2 ** 40 + 5;
  tags.settle(far - 10);
  tags.remember(far, SOLD, 1);
  t.is(tags.recall(far), SOLD);
  t.is(tags.recall(far - TAG_WINDOW), undefined);
  t.is(tags.recall(5), undefined);
});

test('a mark that falls behind is an old one', (t) => {
  const tags = newTags();
  tags.settle(10);
  tags.settle(4);
  t.is(tags.settled, 10);
});

test('a new incarnation remembers nothing, and sells only once it has sent something', (t) => {
  const tags = newTags();
  tags.settle(3);
  tags.remember(4, SOLD, 1);
  tags.begin(2, 0);
  t.is(tags.recall(4), undefined);
  t.deepEqual([tags.incarnation, tags.settled, tags.sellingIncarnation], [2, 0, 1]);
  tags.settle(0);
  t.is(tags.sellingIncarnation, 2);
});

test('an undoing turns what came after it into a refusal, for good', (t) => {
  const tags = newTags();
  tags.remember(1, SOLD, 100);
  tags.remember(2, SOLD, 200);
  tags.remember(3, NOT_ENOUGH_STOCK, 200);
  tags.undoAfter(100);
  t.deepEqual(
    [1, 2, 3].map((sequence) => tags.recall(sequence)),
    [SOLD, NOT_SELLING, NOT_SELLING],
  );
});
