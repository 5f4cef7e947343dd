// catalog-watch.ts: the front end's place among the catalog's holders: one stream for the whole process, in its main thread,
// on which leases are renewed and invalidations carried out. What it learns it writes on the LeaseBoard.
//
//   down ──stream up: first renewal──► asking ──a number──► holding ──stream ends──► down, the lease may run out
//                                        └──0: no place──► asking again, with each renewal
//
// The catalog counts a lease from when it received a renewal, this side from when it sent it: so here it always ends first.
// An invalidation is confirmed when the board has it, and so every thread.

import type { ChannelCredentials } from '@grpc/grpc-js';
import {
  CatalogClient as CatalogStub,
  type WatchRequest,
  type WatchResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { monotonicUs } from '../clock.js';
import type { Log } from '../log.js';
import { createChannelOptions, ReopeningStream, RpcError, ServingPeer } from '../rpc/index.js';
import type { LeaseBoard } from './lease-board.js';

/** A lease outlives two renewals that come late. */
const RENEWALS_PER_LEASE = 3;
/** How soon a catalog that has no place is asked again. */
const ASK_AGAIN_MS = 250;
/** Renewals that a catalog which stands still has not answered; the leases of older ones are over. */
const UNANSWERED_MAX = 64;
/** The stream is back within a second, like all others. */
const BACKOFF_MAX_MS = 500;
const US_PER_MS = 1_000;

interface Renewal {
  readonly number: number;
  readonly sentMs: number;
}

export interface WatchStats {
  /** Names that the catalog has taken back; all of them count as one. */
  readonly invalidations: number;
  /** Times that the lease was over before it was renewed. */
  readonly leasesRunOut: number;
  /** Times that the catalog gave a number. */
  readonly registrations: number;
}

export class CatalogWatch {
  readonly #board: LeaseBoard;
  readonly #log: Log;
  readonly #catalog: ServingPeer<CatalogStub>;
  readonly #stream: ReopeningStream<WatchRequest, WatchResponse>;
  #timer: NodeJS.Timeout | undefined;
  /** The number that the present stream has brought; 0: none yet. */
  #holder = 0;
  #leaseMs = 0;
  #renewals = 0;
  #unanswered: Renewal[] = [];
  #confirmed = 0;
  /** When the lease is over, in milliseconds of the monotonic clock. */
  #validUntilMs = 0;
  #lastSaid = '';
  #isClosed = false;
  #stats = { invalidations: 0, leasesRunOut: 0, registrations: 0 };

  /** Opens the stream at once, and again whenever it breaks, until it is closed. @param addresses host:port of each catalog */
  constructor(addresses: readonly string[], board: LeaseBoard, log: Log, channelCredentials: ChannelCredentials) {
    this.#board = board;
    this.#log = log;
    this.#catalog = new ServingPeer({
      addresses,
      service: 'toystore.v1.Catalog',
      channelCredentials,
      createStub: (address, secured) => new CatalogStub(address, secured, createChannelOptions()),
    });
    this.#stream = new ReopeningStream({
      open: () => this.#catalog.stub.watch(),
      backoffMaxMs: BACKOFF_MAX_MS,
      onUp: () => this.#onUp(),
      onMessage: (message) => this.#onMessage(message),
      onDown: (reason) => this.#onDown(reason),
    });
    this.#catalog.onMove(() => this.#stream.break(new RpcError('UNAVAILABLE', 'another catalog serves')));
    this.#stream.open();
    this.#tick();
  }

  get stats(): WatchStats {
    return this.#stats;
  }

  /** Nothing is shown any more of what is held; the catalog is told, so that nothing waits for this front end. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#board.endLease();
    this.#board.forgetHolder();
    this.#send(true);
    this.#stream.end();
    this.#catalog.close();
  }

  #onUp(): void {
    this.#renewals = 0;
    this.#confirmed = 0;
    this.#unanswered = [];
    this.#send(false);
  }

  #onDown(reason: RpcError): void {
    this.#holder = 0;
    this.#board.forgetHolder();
    if (reason.code === 'UNIMPLEMENTED') {
      this.#sayOnce('the catalog is older than this front end and has no call Watch: every find asks it');
    }
  }

  #onMessage(message: WatchResponse): void {
    if (this.#isClosed) return;
    this.#stream.noteProgress();
    if (message.holder !== this.#holder) this.#register(message.holder);
    this.#leaseMs = message.leaseMs;
    // What the lease is renewed for must not hold what this message takes back.
    if (message.invalidation > 0) this.#invalidate(message);
    this.#renewed(message);
  }

  #register(holder: number): void {
    this.#holder = holder;
    this.#board.register(holder);
    if (holder === 0) {
      this.#sayOnce('the catalog has no place for one more front end that holds toys: every find asks it');
    } else {
      this.#stats.registrations++;
      this.#lastSaid = '';
    }
  }

  #invalidate({ invalidation, names }: WatchResponse): void {
    if (names.length === 0) this.#board.invalidateAll();
    for (const name of names) this.#board.invalidate(Buffer.from(name).toString());
    this.#stats.invalidations += Math.max(1, names.length);
    this.#confirmed = invalidation;
    // A renewal would be answered: one message more for every order.
    this.#stream.write({ renewal: 0, confirmed: invalidation, goodbye: false });
  }

  #renewed({ holder, renewed, leaseMs }: WatchResponse): void {
    while (this.#unanswered.length > 0 && this.#unanswered[0]!.number < renewed) this.#unanswered.shift();
    if (holder === 0 || this.#unanswered[0]?.number !== renewed) return;
    const { sentMs } = this.#unanswered.shift()!;
    this.#validUntilMs = Math.floor(sentMs) + leaseMs;
    this.#board.lease(this.#validUntilMs);
  }

  #send(goodbye: boolean): void {
    const number = ++this.#renewals;
    this.#unanswered.push({ number, sentMs: nowMs() });
    if (this.#unanswered.length > UNANSWERED_MAX) this.#unanswered.shift();
    this.#stream.write({ renewal: number, confirmed: this.#confirmed, goodbye });
  }

  /** Renews, and takes note of a lease that is over. */
  #tick(): void {
    if (nowMs() >= this.#validUntilMs && this.#board.endLease()) this.#stats.leasesRunOut++;
    if (this.#stream.isUp) this.#send(false);
    const pauseMs = this.#leaseMs === 0 ? ASK_AGAIN_MS : this.#leaseMs / RENEWALS_PER_LEASE;
    this.#timer = setTimeout(() => this.#tick(), pauseMs);
  }

  /** Not again while nothing else has been the case. */
  #sayOnce(what: string): void {
    if (this.#lastSaid === what) return;
    this.#lastSaid = what;
    this.#log.warn(what);
  }
}

function nowMs(): number {
  return monotonicUs() / US_PER_MS;
}
