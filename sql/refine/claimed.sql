-- Rows whose key is taken: by a live row of another record, or by another row of this run that comes first. The owner comes
-- first, then what is not deleted, then the older claim. is_same: the record said the same thing twice, which is no fault.
CREATE OR REPLACE TEMP TABLE contested AS
SELECT external_id FROM staged GROUP BY external_id HAVING count(*) > 1
UNION
SELECT s.external_id
FROM staged AS s
JOIN canonical.{kind} AS c ON c.source = {connection} AND c.external_id = s.external_id AND NOT c.is_deleted
WHERE c._entity <> {entity} OR c._record_id <> s._record_id;

CREATE OR REPLACE TEMP TABLE claimed AS
SELECT s._n,
  c.external_id IS NULL
    AND s._record_id = first(s._record_id) OVER one_key
    AND s._row_hash = first(s._row_hash) OVER one_key AS is_same
FROM staged AS s
LEFT JOIN canonical.{kind} AS c
  ON c.source = {connection} AND c.external_id = s.external_id AND NOT c.is_deleted
  AND (c._entity <> {entity} OR c._record_id <> s._record_id)
WHERE s.external_id IN (SELECT external_id FROM contested)
WINDOW one_key AS (
  PARTITION BY s.external_id
  ORDER BY c.external_id IS NOT NULL, s.is_deleted, s.source_updated_at NULLS LAST, s._record_id, s._row_hash, s._n
)
QUALIFY c.external_id IS NOT NULL OR row_number() OVER one_key > 1;

INSERT INTO fault
SELECT _n, 'external_id', 'duplicate_key', s.external_id, 'row'
FROM claimed JOIN staged AS s USING (_n)
WHERE NOT is_same;

DELETE FROM staged WHERE _n IN (SELECT _n FROM claimed);
