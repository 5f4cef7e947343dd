// catalog-limits.ts: every bound of the catalog, with its unit and its reason.
//
// A bound that depends on another is asserted here, when the file is loaded, so that a change of one cannot break the
// other without a word.

import { assert } from '../assert.js';
import { PAYLOAD_BYTES_MAX } from '../storage/index.js';
import { KEY_CHARACTERS_MAX, NAME_BYTES_MAX } from '../store-contract.js';

/** Highest price, in cents: 9,999,999,999.99. Far above any toy, and exact in a double, as cents and as text. */
export const PRICE_CENTS_MAX = 999_999_999_999;
/** Most toys in a catalog: a Set of their names holds no more, and a table of this size takes 3 GB. */
export const TOYS_MAX = 16_777_216;

/** Most purchases in one message: one lock section executes them all, at about half a microsecond each. */
export const BATCH_PURCHASES_MAX = 4_096;
/** Most names in one message of look-ups; one answer of that many rows stays far below gRPC's limit of 4 MiB. */
export const BATCH_NAMES_MAX = 65_536;
/**
 * How many purchases under tags may be unsettled at a time, a power of two. The order service has a few batches in
 * flight; a slot takes 9 bytes.
 */
export const TAG_WINDOW = 65_536;
/**
 * Most threads of the pool. The lock has room for 56 holders, and more threads than this gain nothing: the table is under
 * lock for microseconds, and one connection of each front-end thread is all there is to serve.
 */
export const THREADS_MAX = 48;
/** Toys in an answer of ListToys: a page shows no more, and the answer stays far below gRPC's limit of 4 MiB. */
export const LISTED_TOYS_MAX = 1_000;

/**
 * Toys that have a metric of their own, the first in the file: each is a time series that Prometheus keeps. The answer to a
 * scrape stays far below gRPC's limit of 4 MiB.
 */
export const MEASURED_TOYS_MAX = 1_000;

/** A lock section lasts microseconds: a lock that is held for this long is held by a thread that hangs. */
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

/** Sales in one record of a new journal, and in one message of Recover: far below the 4 MiB that either may have. */
export const RECORD_SALES_MAX = 8_192;

/** How long a find may wait for the leases of an earlier process to end; the front end waits 2 s, and has to hear of it. */
export const FIND_WAIT_MS_MAX = 1_500;
/** How long a stop waits for front ends to give back what they hold; what is not given back, the next start waits for. */
export const HOLDERS_CLOSE_TIMEOUT_MS = 1_500;

/** Most bytes of a record that one batch of purchases makes. */
const BATCH_RECORD_BYTES_MAX = 32 + BATCH_PURCHASES_MAX * (18 + NAME_BYTES_MAX + KEY_CHARACTERS_MAX);

assert((TAG_WINDOW & (TAG_WINDOW - 1)) === 0, 'TAG_WINDOW is a power of two');
assert(BATCH_PURCHASES_MAX < TAG_WINDOW, 'a batch fits into the window of tags');
assert(BATCH_RECORD_BYTES_MAX * 2 <= PAYLOAD_BYTES_MAX, 'the sales of a batch fit into a record of the journal');
