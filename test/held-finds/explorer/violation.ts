// violation.ts: what a schedule of the protocol must not come to.

/** Something happened that must not. */
export class Violation extends Error {}
