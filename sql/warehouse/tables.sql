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
