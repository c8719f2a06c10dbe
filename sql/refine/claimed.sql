-- Rows whose key is taken: by another record's canonical row, or by another row of this chunk that comes first. A live row
-- takes the key of a deleted one; from records that share it, any row but a deleted one does. First comes the owner, then
-- what is not deleted, then who has the key already, then the older claim.
-- is_same: the record said the same thing twice, which is no fault.
-- Reads staged, canonical.{kind}. Makes contested, claimed; adds to fault; takes the claimed rows out of staged.
CREATE OR REPLACE TEMP TABLE contested AS
SELECT external_id FROM staged GROUP BY external_id HAVING count(*) > 1
UNION
SELECT s.external_id
FROM staged AS s
JOIN canonical.{kind} AS c ON c.source = {connection} AND c.external_id = s.external_id
WHERE c._entity <> {entity} OR c._record_id <> s._record_id;

CREATE OR REPLACE TEMP TABLE claimed AS
WITH claim AS (
  SELECT s.*,
    c.external_id IS NOT NULL AND c._entity = {entity} AND c._record_id = s._record_id AS is_own,
    c.external_id IS NOT NULL AND (c._entity <> {entity} OR c._record_id <> s._record_id)
      AND CASE WHEN c._entity IN ({sharing}) THEN s.is_deleted AND NOT c.is_deleted ELSE s.is_deleted OR NOT c.is_deleted END AS is_taken
  FROM staged AS s
  LEFT JOIN canonical.{kind} AS c ON c.source = {connection} AND c.external_id = s.external_id
  WHERE s.external_id IN (SELECT external_id FROM contested)
)
SELECT _n,
  NOT is_taken
    AND _record_id = first(_record_id) OVER one_key
    AND _row_hash = first(_row_hash) OVER one_key AS is_same
FROM claim
WINDOW one_key AS (
  PARTITION BY external_id
  ORDER BY is_taken, is_deleted, NOT is_own, source_updated_at NULLS LAST, _record_id, _row_hash, _n
)
QUALIFY is_taken OR row_number() OVER one_key > 1;

INSERT INTO fault
SELECT _n, 'external_id', 'duplicate_key', s.external_id, 'row'
FROM claimed JOIN staged AS s USING (_n)
WHERE NOT is_same;

DELETE FROM staged WHERE _n IN (SELECT _n FROM claimed);
