// What threads note of their backends, and what all of them see.

import test from 'ava';
import { AwayBoard } from '../../src/frontend/away-board.js';

test('a backend is away while any thread misses it, in whichever thread one asks', (t) => {
  const board = AwayBoard.create(3);
  const sameBoard = new AwayBoard(board.memory);
  t.false(sameBoard.isAway('catalog'));
  board.note(0, 'catalog', true);
  board.note(2, 'catalog', true);
  board.note(2, 'order', true);
  t.true(sameBoard.isAway('catalog'));
  t.true(sameBoard.isAway('order'));
  sameBoard.note(2, 'catalog', false);
  t.true(board.isAway('catalog'), 'thread 0 still misses it');
  t.true(board.isAway('order'), 'the other backend is untouched');
  board.note(0, 'catalog', false);
  t.false(sameBoard.isAway('catalog'));
  t.true(sameBoard.isAway('order'));
});

test('a thread that is no more leaves nothing behind', (t) => {
  const board = AwayBoard.create(2);
  board.note(0, 'order', true);
  board.note(1, 'catalog', true);
  board.note(1, 'order', true);
  board.forget(1);
  t.false(board.isAway('catalog'));
  t.true(board.isAway('order'));
});

test('one that was away and is back is told of once', (t) => {
  const board = AwayBoard.create(2);
  t.deepEqual(board.takeAway(), new Set());
  board.note(1, 'order', true);
  board.note(1, 'order', false);
  board.forget(1);
  t.deepEqual(new AwayBoard(board.memory).takeAway(), new Set(['order']));
  t.deepEqual(board.takeAway(), new Set());
});
