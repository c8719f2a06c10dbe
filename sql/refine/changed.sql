-- Rows that are new or differ from what is canonical; an equal row is not touched. _is_weaker: it was deleted or became
-- older, so that another record may have to take over its shared key.
-- Reads staged, canonical.{kind}. Makes changed: one row per row to write.
CREATE OR REPLACE TEMP TABLE changed AS
SELECT s.*, c.is_deleted IS NOT NULL AS _is_known, coalesce(c.is_deleted, false) AS _was_deleted,
  coalesce(
    s.is_deleted > c.is_deleted
    OR coalesce(s.source_updated_at, '-infinity'::TIMESTAMPTZ) < coalesce(c.source_updated_at, '-infinity'::TIMESTAMPTZ),
    false
  ) AS _is_weaker
FROM staged AS s
LEFT JOIN canonical.{kind} AS c ON c.source = {connection} AND c.external_id = s.external_id
WHERE c.external_id IS NULL OR c._row_hash <> s._row_hash
