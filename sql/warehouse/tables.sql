-- Bookkeeping of the landing zone.
-- raw.entity: one row per entity ever synced; ties the vendor's spelling to the table it is stored in. Written before the
-- first load of the table, so that no table is ever without its entity.
CREATE SCHEMA IF NOT EXISTS raw;

CREATE TABLE IF NOT EXISTS raw.entity (
    connection VARCHAR NOT NULL,
    connector  VARCHAR NOT NULL,
    entity     VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    first_seen TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (connection, entity),
    UNIQUE (connection, table_name)
);

-- raw.field: one row per place ever seen in an entity's payloads that a column is made of, as a JSON pointer, with the
-- kind of value it holds.
CREATE TABLE IF NOT EXISTS raw.field (
    connection VARCHAR NOT NULL,
    entity     VARCHAR NOT NULL,
    field      VARCHAR NOT NULL,
    position   INTEGER NOT NULL,
    kind       VARCHAR NOT NULL,
    PRIMARY KEY (connection, entity, field)
);

-- raw.typed_view: one row per typed view: the last load its fields were learned from, and its text
-- as the version of the rules that made it and a hash.
CREATE TABLE IF NOT EXISTS raw.typed_view (
    connection VARCHAR NOT NULL,
    entity     VARCHAR NOT NULL,
    load_id    VARCHAR NOT NULL,
    hash       VARCHAR NOT NULL,
    PRIMARY KEY (connection, entity)
);
