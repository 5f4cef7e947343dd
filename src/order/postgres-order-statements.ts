// postgres-order-statements.ts: what the order service says to PostgreSQL. The tables stand in sql/.

import { fencedStatement, type Statement } from '../postgres/index.js';

export const READ_HEAD: Statement = {
  name: 'read-order-head',
  text: `SELECT (SELECT store FROM order_log) AS store, o.order_number, o.incarnation, o.sequence
    FROM (VALUES (1)) one LEFT JOIN (SELECT * FROM orders ORDER BY order_number DESC LIMIT 1) o ON true`,
};

/** Keys of orders from one number on. */
export const READ_KEYS: Statement = {
  name: 'read-order-keys',
  text: `SELECT order_number, key, (extract(epoch FROM ordered_at) * 1000)::bigint AS at FROM orders
    WHERE order_number >= $1 ORDER BY order_number LIMIT $2`,
};

export const READ_ORDERS: Statement = {
  name: 'read-orders',
  text: 'SELECT order_number, name, quantity, key, incarnation, sequence FROM orders WHERE order_number = ANY($1::bigint[])',
};

/** The order that a client's key is bound to, among those before one number. */
export const READ_ORDER_OF_KEY: Statement = {
  name: 'read-order-of-key',
  text: `SELECT order_number, name, quantity, key, incarnation, sequence FROM orders
    WHERE key = $1 AND key <> '' AND left(key, 1) <> ' ' AND order_number < $2 ORDER BY order_number LIMIT 1`,
};

export const READ_ORDERS_AFTER: Statement = {
  name: 'read-orders-after',
  text: `SELECT order_number, name, quantity, key, incarnation, sequence FROM orders
    WHERE (incarnation, sequence) > ($1::bigint, $2::bigint) ORDER BY incarnation, sequence LIMIT $3`,
};

/** The store of the catalog that the orders come from. */
export const BEGIN_LOG = fencedStatement(
  'begin-order-log',
  `, begun AS (INSERT INTO order_log (store) SELECT $4 FROM fence WHERE is_new ON CONFLICT (is_only) DO NOTHING)
   SELECT is_new FROM fence`,
);

/** Orders as columns, numbered from $4 on. */
export const LOG_ORDERS = fencedStatement(
  'log-orders',
  `, logged AS (INSERT INTO orders (order_number, name, quantity, key, ordered_at, incarnation, sequence)
      SELECT $4::bigint + o.place - 1, o.name, o.quantity, o.key, to_timestamp(o.at / 1000.0), o.incarnation,
        o.sequence
      FROM fence, unnest($5::text[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[])
        WITH ORDINALITY o(name, quantity, key, at, incarnation, sequence, place) WHERE is_new)
   SELECT is_new FROM fence`,
);

/** Whole orders from one number on. */
export const READ_TIMED_ORDERS: Statement = {
  name: 'read-timed-orders',
  text: `SELECT order_number, name, quantity, key, incarnation, sequence,
      (extract(epoch FROM ordered_at) * 1000)::bigint AS at FROM orders
    WHERE order_number >= $1 ORDER BY order_number LIMIT $2`,
};
