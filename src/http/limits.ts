// limits.ts: every bound that this library keeps to, by name, with its unit and its reason.
//
// Each can be set per server or client; what is left out stays at its default. Relations between limits are asserted
// when a set of them is made, so that no combination starts that could not work.
import { assert } from '../assert.js';

/** Bounds on what a peer may send, hold and make us wait for. Sizes in bytes, times in milliseconds. */
export interface HttpLimits {
  /** Empty lines before a request; old clients send one after a POST body (RFC 9112 2.2), nobody needs more than two. */
  readonly blankLinesMax: number;
  /** A method's letters. The longest registered method has 17 (UPDATEREDIRECTREF); past the limit 501. */
  readonly methodBytesMax: number;
  /** A request target; RFC 9112 3 asks for 8000 or more. Past it 414. */
  readonly targetBytesMax: number;
  /** All header lines of a message with their line ends; what most servers allow. Past it 431. */
  readonly headerBytesMax: number;
  /** Header lines of a message; each costs 16 bytes of bookkeeping and a place in every search. Past it 431. */
  readonly headerCountMax: number;
  /** Chunk extensions of one body, all chunks together: nobody uses them, so a sender of many is up to something. 413. */
  readonly chunkExtensionBytesMax: number;
  /** Trailer lines with their line ends; they are checked and dropped. Past it 431. */
  readonly trailerBytesMax: number;
  /** Trailer lines. Past it 431. */
  readonly trailerCountMax: number;
  /** A body where the route says nothing else; it is held in memory until the handler runs. Past it 413. */
  readonly bodyBytesMax: number;
  /** Requests of one connection that may wait for their answers; past it the connection is not read from. */
  readonly pipelineDepthMax: number;
  /** Answers that a peer has not taken yet; past it the connection is not read from. */
  readonly unsentBytesMax: number;
  /** From the first byte of a head to its last: against one byte a second. Past it 408. */
  readonly headTimeoutMs: number;
  /** From the end of the head to the end of the body. Past it 408. */
  readonly bodyTimeoutMs: number;
  /** Without a request, before the first and between two. Past it the connection is closed. */
  readonly idleTimeoutMs: number;
  /** The same while other connections wait for a place (`setPressure(true)`). */
  readonly idleTimeoutUnderPressureMs: number;
  /**
   * Without the kernel taking any of the answers that wait for the peer. It takes more only when a large part of what it
   * holds has been read. Past it the connection is cut.
   */
  readonly writeTimeoutMs: number;
  /** After our last answer, until the peer closes too; what it still sends is thrown away meanwhile (RFC 9112 9.6). */
  readonly lingerTimeoutMs: number;
  /** While draining, how long an idle connection may still bring a request that was under way. */
  readonly drainIdleTimeoutMs: number;
}

const KIB = 1024;
/** What a net.Socket holds before it counts as full, at most, over the versions of Node.js. */
const STREAM_BUFFER_BYTES = 64 * KIB;

export const DEFAULT_LIMITS: HttpLimits = {
  blankLinesMax: 2,
  methodBytesMax: 24,
  targetBytesMax: 8 * KIB,
  headerBytesMax: 16 * KIB,
  headerCountMax: 100,
  chunkExtensionBytesMax: 4 * KIB,
  trailerBytesMax: 4 * KIB,
  trailerCountMax: 32,
  bodyBytesMax: 64 * KIB,
  pipelineDepthMax: 64,
  unsentBytesMax: 256 * KIB,
  headTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  idleTimeoutMs: 75_000,
  idleTimeoutUnderPressureMs: 1_000,
  writeTimeoutMs: 30_000,
  lingerTimeoutMs: 5_000,
  drainIdleTimeoutMs: 100,
};

/** Default limits with `overrides` in their place. @throws AssertionError for a set that could not work. */
export function httpLimits(overrides: Partial<HttpLimits> = {}): HttpLimits {
  const limits = { ...DEFAULT_LIMITS, ...overrides };
  for (const [name, value] of Object.entries(limits)) {
    assert(Number.isSafeInteger(value) && value >= 0, `limit ${name} is not a whole number: ${value}`);
  }
  assert(limits.pipelineDepthMax >= 1, 'pipelineDepthMax: a connection must be able to carry one request');
  assert(limits.targetBytesMax >= 1, 'targetBytesMax: the shortest target is one byte');
  assert(limits.methodBytesMax >= 7, 'methodBytesMax: OPTIONS, which every resource answers, has seven bytes');
  assert(
    limits.unsentBytesMax >= STREAM_BUFFER_BYTES,
    'unsentBytesMax: net.Socket tells that it has room again only when it was full',
  );
  assert(
    limits.idleTimeoutUnderPressureMs <= limits.idleTimeoutMs,
    'idleTimeoutUnderPressureMs: pressure cannot make an idle connection last longer',
  );
  return limits;
}
