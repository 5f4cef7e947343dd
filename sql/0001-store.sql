-- 0001-store.sql: the tables of the store, all in one schema of their own.
--
--   seats   who serves: one row for the catalog and one for the order service; every write names the epoch of its sender
--   store   the catalog's own marks         toys    what there is, and how many are left
--   sales   what the catalog sold, by tag   orders  what became of them, numbered from 0 without a gap; order_log: whose
--
-- A sale stays until the order service has told that its order is settled (see docs/postgres.md).

CREATE TABLE seats (
  service       text PRIMARY KEY,
  -- Raised by whoever takes the seat; a write under an older one does nothing.
  epoch         bigint NOT NULL DEFAULT 0,
  -- The writes of one epoch are numbered: none is carried out before the one before it.
  step          bigint NOT NULL DEFAULT 0,
  -- What it was before the newest write: tells a write that is sent again from a new one.
  previous_step bigint NOT NULL DEFAULT 0,
  -- Who serves, for people; null: nobody.
  holder        text,
  -- The session of the holder, to be ended when it is overdue.
  backend_pid   integer,
  backend_start timestamptz,
  renewed_at    timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 10);

CREATE TABLE store (
  is_only              boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  -- Made by the catalog at its first start; part of every order's tag.
  store                text NOT NULL CHECK (store ~ '^[a-z0-9]{8}$'),
  -- The newest incarnation of the order service.
  incarnation          bigint NOT NULL DEFAULT 0,
  -- The tag up to which the order service has everything on disk.
  settled_incarnation  bigint NOT NULL DEFAULT 0,
  settled_sequence     bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

CREATE TABLE toys (
  -- The place in the list, from 0.
  toy         integer PRIMARY KEY,
  name        text NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 64),
  price_cents bigint NOT NULL CHECK (price_cents >= 0),
  quantity    bigint NOT NULL CHECK (quantity BETWEEN 0 AND 4294967295)
) WITH (fillfactor = 50);

CREATE TABLE sales (
  incarnation   bigint NOT NULL,
  sequence      bigint NOT NULL,
  toy           integer NOT NULL,
  quantity      bigint NOT NULL CHECK (quantity BETWEEN 1 AND 4294967295),
  key           text NOT NULL,
  PRIMARY KEY (incarnation, sequence)
);

CREATE TABLE orders (
  order_number  bigint PRIMARY KEY CHECK (order_number >= 0),
  name          text NOT NULL,
  quantity      bigint NOT NULL CHECK (quantity BETWEEN 1 AND 4294967295),
  key           text NOT NULL,
  ordered_at    timestamptz NOT NULL,
  incarnation   bigint NOT NULL,
  sequence      bigint NOT NULL,
  UNIQUE (incarnation, sequence)
);

-- Customers' keys that the order service does not have in its memory; a key that a front end made up begins with a space.
CREATE INDEX orders_by_key ON orders (key) WHERE key <> '' AND left(key, 1) <> ' ';

CREATE TABLE order_log (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  -- The store that the orders belong to.
  store   text NOT NULL
);

INSERT INTO seats (service) VALUES ('catalog'), ('order');
