-- Rows that keep the contract, with the hash that tells a changed row from an equal one; and the keys of those that do not.
CREATE OR REPLACE TEMP TABLE rejected AS
SELECT DISTINCT p._n, p._record_id, p.external_id
FROM projected AS p JOIN fault AS f USING (_n)
WHERE f.severity = 'row';

CREATE OR REPLACE TEMP TABLE staged AS
SELECT {columns}, p._n, md5(to_json({hashed})::VARCHAR) AS _row_hash, {now} AS _refined_at
FROM projected AS p
WHERE p._applies AND p._n NOT IN (SELECT _n FROM rejected);
