// hold-policy.ts: whether it pays that front ends hold a toy. Each sale of a toy that is held costs two messages and a wait,
// an invalidation and its confirmation; each find of one that is not held costs two as well. So a toy should be held where
// it is mostly asked for several times between two sales, and not where customers buy what they have just looked at. Sales
// that can be delegated (delegations.ts) cost nothing of that: then one find between two of them is enough.
//
// Finds of a toy that is held do not come here, so what it would have been asked for is not known then: in one interval of
// eight between two sales the first find is only counted, and the next one holds. What is seen moves a counter that
// saturates, as a branch predictor does (J. E. Smith, "A study of branch prediction strategies", 1981). A toy that nobody
// buys any more is held in the end, whatever went before.
//
// The state of a toy is one word, 0 at first: held from the first find on.
//
//   bits 0 to 2   doubt: up with each interval that would not have paid, down with each that would have
//   bits 3 to 5   turn: counts sales; the interval behind the last one of eight is watched

/** Finds between two sales from which on holding pays: measured, `npm run bench -- cache`. */
const PAYING_FINDS = 3;
/** The same where the sale could have been delegated. */
const PAYING_FINDS_DELEGATED = 1;
/** Finds after which a toy is held whose holding did not pay before: hardly any interval of such a toy has so many. */
const PATIENCE_FINDS = 8;
const DOUBT_MAX = 7;
/** From here on a toy is not held before it was asked for `PATIENCE_FINDS` times. */
const DOUBTFUL = 4;
const TURN_SHIFT = 3;
const LAST_TURN = 7;

/** Whether a toy in that state may be held. @param finds how often it was asked for since its last sale, this time included */
export function paysToHold(state: number, finds: number): boolean {
  if ((state & DOUBT_MAX) >= DOUBTFUL) return finds >= PATIENCE_FINDS;
  return state >> TURN_SHIFT !== LAST_TURN || finds >= PAYING_FINDS;
}

/**
 * The state after a sale.
 *
 * @param finds how often the toy was asked for since the sale before
 * @param isDelegable the sale would have been delegated, had the toy been held
 */
export function stateAfterSale(state: number, finds: number, isDelegable = false): number {
  const payingFinds = isDelegable ? PAYING_FINDS_DELEGATED : PAYING_FINDS;
  const turn = ((state >> TURN_SHIFT) + 1) & LAST_TURN;
  let doubt = state & DOUBT_MAX;
  if (doubt >= DOUBTFUL || state >> TURN_SHIFT === LAST_TURN) {
    doubt = finds >= payingFinds ? Math.max(doubt - 1, 0) : Math.min(doubt + 1, DOUBT_MAX);
  }
  return (turn << TURN_SHIFT) | doubt;
}
