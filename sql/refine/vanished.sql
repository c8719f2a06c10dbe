-- Canonical rows that a record of the chunk no longer yields: marked as deleted. What was rejected keeps its last good
-- version, unless the record is deleted: a rejected row protects its own key, and, when even its key could not be read,
-- every row of its record.
-- Reads chunk, staged, rejected. Makes vanished; changes canonical.{kind}.
CREATE OR REPLACE TEMP TABLE vanished AS
SELECT c.source, c.external_id
FROM canonical.{kind} AS c
JOIN chunk AS k ON k.record_id = c._record_id
WHERE c.source = {connection} AND c._entity = {entity} AND NOT c.is_deleted
  AND NOT EXISTS (SELECT 1 FROM staged AS s WHERE s._record_id = c._record_id AND s.external_id = c.external_id)
  AND (
    k.is_deleted
    OR NOT EXISTS (
      SELECT 1 FROM rejected AS r
      WHERE r._record_id = c._record_id AND (r.external_id = c.external_id OR r.external_id IS NULL)
    )
  )
  AND NOT (k.is_tombstone AND NOT k.is_deleted);

UPDATE canonical.{kind} AS c
SET is_deleted = true, _row_hash = '', _refined_at = {now}
FROM vanished AS v
WHERE c.source = v.source AND c.external_id = v.external_id;
