// case-tests.ts: a test for each case that is explored to its end: no schedule of it shows what is over.

import test from 'ava';
import { isThorough } from '../../support/effort.js';
import type { Case } from './explored-case.js';
import { explore } from './protocol-explorer.js';

/** @param largeCases explored where there is time, skipped else */
export function testCases(cases: Record<string, Case>, largeCases: Record<string, Case>): void {
  for (const [name, explored] of Object.entries({ ...cases, ...largeCases })) {
    const title = `no schedule shows what is over: ${name}`;
    const isSkipped = name in largeCases && !isThorough;
    const check = isSkipped ? test.skip : test;
    check(isSkipped ? `${title}; skipped: it takes TEST_EFFORT=10` : title, (t) => {
      const { states, violation } = explore(explored);
      t.is(violation, undefined, JSON.stringify(violation, undefined, 2));
      t.log(`${states} states`);
    });
  }
}
