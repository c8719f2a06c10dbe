-- Splits the projected rows into those that keep the contract, with the hash that tells a changed row from an equal one, and
-- the keys of those that do not. Both point at projected by its rowid: its wide rows are copied once, when they are written.
-- The hash is DuckDB's own, a sixth of the cost of one made of text; should another release of it hash otherwise, rows that
-- are refined again are written once more than they need be.
-- Reads projected, fault. Makes rejected, staged.
CREATE OR REPLACE TEMP TABLE rejected AS
SELECT DISTINCT p.rowid AS _n, p._record_id, p.external_id
FROM projected AS p JOIN fault AS f ON f._n = p.rowid
WHERE f.severity = 'row';

CREATE OR REPLACE TEMP TABLE staged AS
SELECT p.rowid AS _n, p.external_id, p._record_id, p.source_updated_at, p.is_deleted, hash({hashed})::VARCHAR AS _row_hash
FROM projected AS p
WHERE p._applies AND p.rowid NOT IN (SELECT _n FROM rejected);
