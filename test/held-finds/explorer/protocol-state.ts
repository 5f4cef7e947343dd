// protocol-state.ts: how front ends may hold toys without ever showing a stock that is over. This is the protocol of the
// call Watch (proto/toystore/v1/catalog.proto), written down precisely; protocol-explorer.ts runs every schedule of it.
//
// Words: a *holder* is a front end process that has registered. *Shown* is the quantity that finds answer. A toy is *in
// between* from when one of its sales is decided until that sale is shown. A *lease* is the time for which a holder may
// show what it holds without hearing from the catalog.
//
// FRONT END. Its threads share: a generation word for each group of names (the group by a hash of the name), a generation
// of everything, a holder number (0: none), and until when the lease lasts. Whoever needs several of these takes them in
// the order given here; the explorer shows a stale answer for each of the other orders.
//   F1 find        look at the lease; then at the generations. Both good: answer what is held. (The other way round, a new
//                  registration could slip in between: the old generation was still good, the new lease is already good.)
//   F2 miss        note the generations; then read the holder number and ask with it. Many finds in one message: one
//                  number, read when the message is made.
//   F3 hold        an answer that the catalog calls holdable is kept under the generations noted in F2, not under those of
//                  now: an invalidation that came meanwhile makes it dead on arrival. A find that is asked again after
//                  a broken stream keeps its generations; the number is read anew.
//   F4 invalidated count up the generations; then confirm. Never the other way round.
//   F5 renewed     the lease lasts until the *sending* of the renewal that the catalog answers, plus lease_ms.
//   F6 registered  holder number = 0; generation of everything counted up; holder number = the new one; lease as in F5.
//                  Also when the number in an answer of a running stream is another one than before.
//   F7 stream ends holder number = 0. The lease may run out by itself; what is held may be shown until then.
//   F8 stop        lease = over; holder number = 0; then goodbye.
//
// CATALOG. One thread sells and has all Watch streams; finds run in any thread.
//   C1 register    a number that was never given before, by no predecessor either: at a find the whole number is compared.
//                  Bits of an earlier holder of the same slot may stay: they cost one invalidation too many.
//   C2 find        in one section under the read lock: take the shown quantity, and if the number is that of a holder whose
//                  stream is open, and the toy is not in between, set the holder's bit there and say holdable.
//                  Else the answer is the shown quantity, not holdable. An unknown toy is never holdable.
//   C3 sell        in one section under the write lock: decide, mark the toy in between, take all its bits away. Then tell
//                  those holders and sync the journal, side by side. A sale awaits every holder whose bit it took, by
//                  *registration*, until that confirms, says goodbye, or its lease is over (C5).
//   C4 show        sales are shown in the order in which they were decided: one whose sync is done and that awaits nobody,
//                  after all before it. Under the write lock: shown = new quantity; in between no more, unless a later
//                  sale of the toy is pending. Then it is answered. Nothing that depends on a sale is answered earlier:
//                  no refusal for lack of stock that it caused, no repeat of its tag, no Recover that names it.
//   C5 lease       a holder's lease lasts until the *handling* of its newest renewal plus a tenth more than lease_ms. Each
//                  renewal is answered by `renewed`, but only as long as the holder is one. When its lease is over the holder
//                  is removed: nothing waits for it any more, and its stream is ended; it has to register again. A holder
//                  whose invalidation is older than one lease and not confirmed is not renewed.
//   C6 stream ends without goodbye: no new bits (C2), but the lease counts until it is over. Goodbye: removed at once.
//   C7 clean stop  sell nothing more; show what is pending; give no new bits; tell all holders that nothing at all may be
//                  shown; when each has confirmed or is over, the stop is clean and the next start waits for nobody. A
//                  stop that cannot wait so long counts as a crash, with every toy unsure in C8 (files may be edited).
//   C8 start after a crash. Until the predecessor's lease, a tenth longer, is over, counted from when the directory is
//                  ours: whatever was held then may still be shown somewhere, and who holds what is forgotten. So
//                    - every sale awaits the end of that time, as if a silent holder held every toy;
//                    - toys of which the journal has sales that may never have been shown are *unsure*: neither the old
//                      quantity (the new one may have been seen) nor the new one (the old may still be shown) can be said,
//                      so their finds wait. May never have been shown: all from behind the newest sale that the order
//                      service had called settled, for what is settled was answered, and so shown. To take more toys for
//                      unsure is allowed. Other finds are answered, and may be held, at once;
//                    - such sales are not told by Recover, and no repeat of their tags is answered, before that time.
//                  The predecessor's lease_ms is in the journal; a shorter one is written only when this time is over.
//                  With leases of a second, started again within one: a find waits 1.1 s, and stays within 2.
//
// DELEGATION. An order of a toy that nobody but the buyer's own front end holds needs no invalidation: its answer is one. The
// toy is *delegated* to that front end; whoever else wants to know of it makes the catalog *recall* it first. (The words are
// those of NFSv4: RFC 8881, 10.2.) Between the front end's threads and the catalog stands the order service.
//
// CATALOG, of toys that are delegated.
//   D1 sell        a purchase of the order service may say for which holder it is. Its sale is *delegated* if, in the section
//                  in which it is decided, that holder is one still, its bit is the only one of the toy, no recall of the toy
//                  is under way, and no predecessor's lease is open. Then the toy is marked; the bit stays; nobody is told,
//                  and the sale awaits nobody. Any other sale of a toy that is marked starts its recall, or finds one under
//                  way, and awaits that; else it is as in C3.
//   D2 show        as C4. The answer says `delegated`, and the quantity after this very sale.
//   D3 find        of a toy that is marked nothing is answered, whoever asks, its own front end too: it is recalled, and read
//                  anew.
//   D4 recall      one at a time for each toy: the holder is told as of any invalidation. When it has confirmed, said goodbye,
//                  or its lease is over, the mark goes, and the bit with it; not before. All who wait for the toy wait for
//                  the same recall.
//   D5 and also    recalled before they are answered: refusals for lack of stock and purchases without a tag, of that toy;
//                  everything that is delegated for Recover, for a clean stop (C7), for a repeat of a tag, and for a batch,
//                  also one without purchases, that says `recall`. At a start after a crash the marks are forgotten, and
//                  all of these await the end of the predecessor's lease (C8).
//   D6 settled     what is delegated does not count as settled in C8 before it is recalled, whatever the order service says:
//                  it was answered, but perhaps not yet by its front end. (A catalog that takes all toys for unsure after a
//                  crash has no need of this rule.)
//
// ORDER SERVICE. It numbers the sales, and answers the streams of front ends' threads, unary calls, look-ups of order
// numbers, and repeats of keys. `outstanding` is a stream or none; a stream that was opened anew is another one.
//   O1 own         a batch to the catalog names a holder only if all its orders, and all callers who wait for them, came by
//                  one stream, nothing that came another way waits, and `outstanding` is none or that stream. Then
//                  `outstanding` is that stream, from before the batch is sent.
//   O2 others      a batch that holds anything else while `outstanding` is not none says `recall`; then `outstanding` is none.
//                  A look-up of a number from the first one that may be delegated on, and a repeat of a key from another
//                  way, are answered with a batch that says `recall`: one that is under way, or a new one. The number is
//                  forgotten when that batch is *answered*: whoever asks in between waits too. And when the next message
//                  comes on the outstanding stream, all orders before it have been carried out (H3), and may be told.
//   O3 in order    sales are numbered in the order in which the catalog decides them; batches are dealt with in the order in
//                  which they were sent, and answers go out on each stream in order.
//
// FRONT END, of its own orders.
//   H1 order       when the message is made: note the generations of the toy; then read the holder number. As F2.
//   H2 answered    where the answer says `delegated`: first compare and exchange the generation, from the one noted to the
//                  next. If another one is found, count that up, and hold nothing. Else this thread holds the quantity of the
//                  answer under the new generation. Then the customer is told. Also where nobody waits for the answer any
//                  more: the next one on the stream tells of a later order. (What this thread holds under the noted
//                  generation, less what was ordered, is the quantity of the answer: the explorer looks at that too.)
//   H3 in turn     a thread sends its next message of orders when it has carried out the answer to the one before.
//
// CLOCKS. Leases are measured on monotonic clocks whose speeds differ by less than a tenth. A machine that sleeps while
// others go on (its monotonic clock stands still) is not covered.

import type { Ask, Booked, Order, OrderService } from './order-state.js';

/** One toy at the catalog. Stocks are counted as versions: the number of sales that they have behind them. */
export interface Toy {
  journaled: number;
  shown: number;
  /** The order service has called it settled. */
  settled: number;
  /** The journal has more than may have been shown (C8). */
  isUnsure: boolean;
  /** The numbers of the holders whose bits are set. */
  bits: number[];
  /** Of the only holder whose bit is set, by D1. */
  isDelegated: boolean;
  /** That holder has been told, and has not confirmed (D4). */
  isRecalled: boolean;
}

/** A holder, as the catalog knows it. */
export interface Holder {
  number: number;
  front: number;
  /** Which connection of the front end it came by. */
  link: number;
  /** Its stream is open, as far as the catalog knows. */
  isOpen: boolean;
  /** Ticks until its lease is over. */
  left: number;
}

/** A sale that is decided and not yet shown. */
export interface Sale {
  toy: number;
  version: number;
  isSynced: boolean;
  /** Numbers of holders. */
  awaits: number[];
  awaitsRecall: boolean;
  /** By a purchase of the order service, under a tag. Others are answered when they are shown. */
  isTagged: boolean;
}

/** -1 for the toy: all of them. */
export type Upward = { kind: 'renew' } | { kind: 'confirm'; toy: number; version: number } | { kind: 'goodbye' };
export type Downward =
  | { kind: 'registered'; number: number }
  | { kind: 'renewed' }
  | { kind: 'invalid'; toy: number; version: number }
  | { kind: 'ended' };

/** What the main thread of a front end has still to do of one message: each is a step of its own. */
export type Task =
  | { kind: 'number'; number: number }
  | { kind: 'bump' }
  | { kind: 'lease' }
  | { kind: 'end lease' }
  | { kind: 'send'; message: Upward }
  | { kind: 'leave' };

export interface Held {
  version: number;
  generation: number;
}

/** What a thread of a front end has come to with its query. */
export type Place = 'idle' | 'leased' | 'unleased' | 'noted' | 'asked' | 'read' | 'told' | 'found held';

export interface Thread {
  place: Place;
  queriesLeft: number;
  toy: number;
  /** The newest version that anybody had been shown or told when the query began. */
  known: number;
  generation: number;
  number: number;
  version: number;
  isHoldable: boolean;
  /** For each toy. */
  held: (Held | undefined)[];
}

export interface Front {
  /** One word for all toys: that they share it is the harder case. */
  generation: number;
  number: number;
  /** Ticks until the lease is over. */
  left: number;
  /** 0: no connection. */
  link: number;
  /** Nothing passes any more: cut, or the other side is gone. */
  isCut: boolean;
  hasStopped: boolean;
  /** For each renewal under way, the ticks until the lease that it will have given is over. */
  renewals: number[];
  up: Upward[];
  down: Downward[];
  tasks: Task[];
  threads: Thread[];
}

export interface State {
  /** For each toy the newest version that anybody has been shown or told. */
  known: number[];
  catalog: {
    run: 'up' | 'stopping' | 'stopped' | 'dead';
    /** Ticks until the predecessor's leases are over. */
    predecessor: number;
    toys: Toy[];
    holders: Holder[];
    sales: Sale[];
  };
  fronts: Front[];
  orders: Order[];
  asks: Ask[];
  book: Booked[];
  service: OrderService;
  /** For all toys: how many versions there can be. What is asked for beyond is refused. */
  readonly stock: number;
  readonly isTimeStill: boolean;
  /** The newest number, link and stream to the order service ever given. */
  numbers: number;
  links: number;
  streams: number;
  /** How often each of these may still happen. */
  salesLeft: number;
  callsLeft: number;
  cutsLeft: number;
  crashesLeft: number;
  stopsLeft: number;
  goodbyesLeft: number;
  frontKillsLeft: number;
  connectsLeft: number;
  renewalsLeft: number;
  restartsLeft: number;
  linkCutsLeft: number;
  streamCutsLeft: number;
}
