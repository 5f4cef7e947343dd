// serving-peer.ts: of several processes of one service, the one that serves. Each has an address and a stub of its own; one
// of them is the present one, and all calls go there.
//
//   present one serves? ──yes──► again in a while
//         └──no, or no answer──► which of the others does? ──one──► it is the present one from now on
//
// They are asked by the standard health service: a standby says NOT_SERVING, a process that hangs says nothing. With one
// address there is no choice, and nobody is asked.

import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { HealthCheck } from './health-check.js';

export interface ServingPeerOptions<Stub> {
  /** host:port of each; not empty. */
  readonly addresses: readonly string[];
  /** As the health service knows it: `package.Service`. */
  readonly service: string;
  /** Of all channels to them. Default: without TLS. */
  readonly channelCredentials?: ChannelCredentials | undefined;
  readonly createStub: (address: string, channelCredentials: ChannelCredentials) => Stub;
}

/** A peer that hangs is left within two of these and a time-out. */
const ASK_INTERVAL_MS = 500;
/** While the present one does not serve: its successor is found soon after it begins. */
const SEARCH_INTERVAL_MS = 100;
const ASK_TIMEOUT_MS = 1_000;

interface Peer<Stub> {
  readonly address: string;
  readonly stub: Stub;
  readonly health: HealthCheck;
}

export class ServingPeer<Stub extends { close(): void }> {
  readonly #service: string;
  readonly #peers: readonly Peer<Stub>[];
  readonly #listeners = new Set<() => void>();
  #present = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ServingPeerOptions<Stub>) {
    const { addresses, service, channelCredentials = credentials.createInsecure(), createStub } = options;
    this.#service = service;
    this.#peers = addresses.map((address) => ({
      address,
      stub: createStub(address, channelCredentials),
      health: new HealthCheck(address, channelCredentials),
    }));
    if (addresses.length > 1) void this.#search();
  }

  /** For calls to the present one; to be asked for again for each call. */
  get stub(): Stub {
    return this.#peers[this.#present]!.stub;
  }

  get address(): string {
    return this.#peers[this.#present]!.address;
  }

  /** Calls `listener` after each change of the present one: streams to the one before are to be opened again. */
  onMove(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Whether the present one says, within `timeoutMs`, that it serves `service`. Never rejects. */
  isServing(service: string, timeoutMs: number): Promise<boolean> {
    return this.#peers[this.#present]!.health.isServing(service, timeoutMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const { stub, health } of this.#peers) {
      stub.close();
      health.close();
    }
  }

  async #search(): Promise<void> {
    const isServing = await this.isServing(this.#service, ASK_TIMEOUT_MS);
    const isFound = isServing || (await this.#findAnother());
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#search(), isFound ? ASK_INTERVAL_MS : SEARCH_INTERVAL_MS);
  }

  /** The first one to say that it serves. */
  async #findAnother(): Promise<boolean> {
    const answers = this.#peers.map(async ({ health }, index) => {
      if (await health.isServing(this.#service, ASK_TIMEOUT_MS)) return index;
      throw new Error('it does not serve');
    });
    const found = await Promise.any(answers).catch(() => undefined);
    if (found === undefined || this.#isClosed) return false;
    if (found !== this.#present) {
      this.#present = found;
      for (const listener of this.#listeners) listener();
    }
    return true;
  }
}
