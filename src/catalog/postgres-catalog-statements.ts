// postgres-catalog-statements.ts: what the catalog says to PostgreSQL. The tables stand in sql/.
//
// A batch of purchases is one statement, so it is in the database whole or not at all. The catalog's memory has decided it:
// the database takes the quantities down by what was sold, and refuses, by the checks of its tables, what must never be.

import { fencedStatement, type Statement } from '../postgres/index.js';

export const READ_STORE: Statement = {
  name: 'read-store',
  text: 'SELECT store, incarnation, settled_incarnation, settled_sequence FROM store',
};

export const READ_TOYS: Statement = {
  name: 'read-toys',
  text: 'SELECT toy, name, price_cents, quantity FROM toys WHERE toy >= $1 ORDER BY toy LIMIT $2',
};

export const READ_SALES: Statement = {
  name: 'read-sales',
  text: `SELECT incarnation, sequence, toy, quantity, key FROM sales
    WHERE (incarnation, sequence) > ($1::bigint, $2::bigint) ORDER BY incarnation, sequence LIMIT $3`,
};

/** Toys of the first start: places, names, prices, quantities. Those that are there stay as they are. */
export const ADD_TOYS = fencedStatement(
  'add-toys',
  `, added AS (INSERT INTO toys (toy, name, price_cents, quantity)
      SELECT t.* FROM fence, unnest($4::integer[], $5::text[], $6::bigint[], $7::bigint[]) t WHERE is_new
      ON CONFLICT (toy) DO NOTHING)
   SELECT is_new FROM fence`,
);

/** Sales of a store that comes from elsewhere, as columns. */
export const ADD_SALES = fencedStatement(
  'add-sales',
  `, added AS (INSERT INTO sales (incarnation, sequence, toy, quantity, key)
      SELECT s.* FROM fence, unnest($4::bigint[], $5::bigint[], $6::integer[], $7::bigint[], $8::text[]) s WHERE is_new)
   SELECT is_new FROM fence`,
);

/** The end of the first start: the store, and its marks (incarnation, settled). */
export const ADD_STORE = fencedStatement(
  'add-store',
  `, added AS (INSERT INTO store (store, incarnation, settled_incarnation, settled_sequence)
      SELECT $4, $5::bigint, $6::bigint, $7::bigint FROM fence WHERE is_new)
   SELECT is_new FROM fence`,
);

/**
 * A group: the marks ($4 incarnation, $5 and $6 settled), the tagged sales as columns ($7 to $11), and what all sales
 * together take from each toy ($12 toys, $13 quantities). Tells how many toys it has found.
 */
export const SELL = fencedStatement(
  'sell',
  `, sold AS (INSERT INTO sales (incarnation, sequence, toy, quantity, key)
      SELECT s.* FROM fence,
        unnest($7::bigint[], $8::bigint[], $9::integer[], $10::bigint[], $11::text[]) s WHERE is_new),
    taken AS (UPDATE toys t SET quantity = t.quantity - d.quantity
      FROM fence, unnest($12::integer[], $13::bigint[]) d(toy, quantity) WHERE is_new AND t.toy = d.toy RETURNING 1),
    marked AS (UPDATE store SET incarnation = $4, settled_incarnation = $5, settled_sequence = $6 FROM fence
      WHERE is_new AND (incarnation, settled_incarnation, settled_sequence)
        IS DISTINCT FROM ($4::bigint, $5::bigint, $6::bigint))
   SELECT is_new, (SELECT count(*) FROM taken) AS toys FROM fence`,
);

/**
 * Sales from one tag ($4, $5) up to, not including, another ($6, $7) are needed no more. The lower bound spares the index
 * its entries of rows that are gone already.
 */
export const FORGET_SALES = fencedStatement(
  'forget-sales',
  `, forgotten AS (DELETE FROM sales USING fence WHERE is_new
      AND (incarnation, sequence) >= ($4::bigint, $5::bigint) AND (incarnation, sequence) < ($6::bigint, $7::bigint))
   SELECT is_new FROM fence`,
);
