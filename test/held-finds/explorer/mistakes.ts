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

export type Mistakes = ReadonlySet<Mistake>;
