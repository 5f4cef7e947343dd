// catalog-limits.ts: every bound of the catalog, with its unit and its reason.
//
// A bound that depends on another is asserted here, when the file is loaded, so that a change of one cannot break the
// other without a word.

import { assert } from '../assert.js';

/** Longest name of a toy, in bytes of UTF-8: the contract's. */
export const NAME_BYTES_MAX = 64;
/** Longest idempotency key, in bytes: the contract's. */
export const KEY_BYTES_MAX = 64;
/** Largest quantity: what 32 bits hold; the contract's. */
export const QUANTITY_MAX = 0xffff_ffff;
/** Highest price, in cents: 9,999,999,999.99. Far above any toy, and exact in a double, as cents and as text. */
export const PRICE_CENTS_MAX = 999_999_999_999;
/** Most toys in a catalog: the index of each, plus one, is kept in 32 bits, and a table of this size takes 3 GB. */
export const TOYS_MAX = 16_777_216;

/** Most purchases in one message: one lock section executes them all, at about half a microsecond each. */
export const BATCH_PURCHASES_MAX = 4_096;
/** Most names in one message of look-ups; one answer of that many rows stays far below gRPC's limit of 4 MiB. */
export const BATCH_NAMES_MAX = 65_536;
/**
 * How many purchases under tags may be unsettled at a time, a power of two. The order service has a few batches in
 * flight; a slot takes 20 bytes of shared memory.
 */
export const TAG_WINDOW = 65_536;
/** Bytes of the ring between the threads and the journal, a power of two: what arrives while a slow disk syncs. */
export const RING_BYTES = 8 * 1024 * 1024;
/** How many undone writes a waiting purchase may sleep through; they are at least a probe of the journal apart. */
export const UNDO_HISTORY = 64;
/**
 * Most threads of the pool. The lock has room for 56 holders, and more threads than this gain nothing: the table is under
 * lock for microseconds, and one connection of each front-end thread is all there is to serve.
 */
export const THREADS_MAX = 48;
/** Sellers on one catalog: one for each thread, and the main thread's own. */
export const SELLERS_MAX = THREADS_MAX + 1;

/**
 * Toys that have a metric of their own, the first in the file: each is a time series that Prometheus keeps. The answer to a
 * scrape stays far below gRPC's limit of 4 MiB.
 */
export const MEASURED_TOYS_MAX = 1_000;

/** A lock section lasts microseconds: a lock that cannot be had for this long has lost its owner. */
export const LOCK_TIMEOUT_MS = 2_000;

/** catalog.csv is written when nothing has been sold for this long, so that it is fresh well within a second. */
export const CHECKPOINT_QUIET_MS = 250;
/** While toys are sold without a pause, catalog.csv is written this often. */
export const CHECKPOINT_INTERVAL_MS = 1_000;
/** Of the time, at most one part in this many goes into writing catalog.csv: a large one is written less often. */
export const CHECKPOINT_TIME_SHARE = 20;
/** The same where the store comes to rest again and again: a checkpoint waits this many times as long as the last one took. */
export const CHECKPOINT_REST_SHARE = 2;
/** Toys rendered into catalog.csv in one turn of the event loop, about a millisecond's work. */
export const CHECKPOINT_SLICE_TOYS = 8_192;
/** A checkpoint that failed is tried again after this. */
export const CHECKPOINT_RETRY_MS = 1_000;
/** The journal starts anew after a checkpoint that finds it larger: about a million orders, seconds of replay. */
export const JOURNAL_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Settled sales that are kept beyond the unsettled ones: what an order service that lost the end of its log in a crash can
 * still be given. Far more than it syncs at a time; about 2 MB in memory and 1 MB in a new journal.
 */
export const SETTLED_SALES_KEPT = 10_000;

/** Fixed bytes of a sale in a record of the journal: sequence, quantity, and the lengths of name and key. */
const SALE_FIXED_BYTES = 8 + 4 + 1 + 1;
/** Most bytes that the frame of one batch takes in the ring: head, an effect and a sale for each purchase. */
const FRAME_BYTES_MAX = 64 + BATCH_PURCHASES_MAX * (8 + SALE_FIXED_BYTES + NAME_BYTES_MAX + KEY_BYTES_MAX);

assert((TAG_WINDOW & (TAG_WINDOW - 1)) === 0, 'TAG_WINDOW is a power of two');
assert((RING_BYTES & (RING_BYTES - 1)) === 0, 'RING_BYTES is a power of two');
assert(FRAME_BYTES_MAX * 4 <= RING_BYTES, 'several of the largest batches fit into the ring');
assert(BATCH_PURCHASES_MAX * 4 <= TAG_WINDOW, 'several of the largest batches fit into the window of tags');
assert(NAME_BYTES_MAX < 256 && KEY_BYTES_MAX < 128, 'their lengths are kept in one byte, a key shares it with a mark');
