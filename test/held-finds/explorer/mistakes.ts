// mistakes.ts: mistakes that can be planted in the model of the protocol, each by its name: the explorer must see them.

export type Mistake =
  // In a front end.
  | 'the generation is noted after asking'
  | 'the generation is looked at before the lease'
  | 'a toy that is held sets the word that it shares to what it was'
  | 'a lease is counted from the receipt of its renewal'
  | 'confirmed before all threads see the generation'
  | 'what is held is kept over a new registration'
  | 'the lease begins before the generation is counted up'
  | 'the number of an earlier registration goes with a new generation'
  | 'goodbye is said before the lease is given up'
  // In the catalog.
  | 'a bit is set outside the lock'
  | 'an order is answered before the confirmation'
  | 'a sale is shown before it is in the journal'
  | 'held while in between'
  | 'a later sale is shown before an earlier one'
  | 'a number of before the restart is believed'
  | 'leases are forgotten at a restart'
  | 'an unsure toy is shown as the journal has it'
  | 'an unsure toy is shown as it was before'
  | 'orders of before the restart are answered at once'
  | 'a holder whose stream ends is not waited for'
  | 'a clean stop does not wait for confirmations'
  | 'one that is told nothing any more is renewed';

/** Those of the delegation: D1 to D6, O1 to O3, H1 to H3. */
export type DelegationMistake =
  // In the catalog.
  | 'a sale is delegated although somebody else holds its toy'
  | 'a sale is delegated while its toy is recalled'
  | 'a toy is delegated no more once its recall is sent'
  | 'a find of the own front end is answered without a recall'
  | 'Recover is answered without a recall'
  | 'a repeat of a tag is answered without a recall'
  | 'a refusal for lack of stock is answered without a recall'
  | 'what is delegated is settled'
  // In the order service.
  | 'an order by another stream is answered without a recall'
  | 'an order is looked up without a recall'
  | 'a key that another sends again is answered without a recall'
  | 'a look-up behind a recall is answered at once'
  | 'a new stream of a thread counts as the one before'
  // In a front end.
  | 'a thread sends its next message before it has the answer to the one before'
  | 'the customer is told before the generation is counted up'
  | 'an answer for which nobody waits any more is thrown away'
  | 'what is left is held although something else was invalidated';

export type Mistakes = ReadonlySet<Mistake | DelegationMistake>;
