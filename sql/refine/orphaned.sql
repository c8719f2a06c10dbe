-- After a replay: marks as deleted the canonical rows of the entity whose raw record is gone, or whose kind the mapping no
-- longer yields; and forgets what such records claimed.
-- Reads canonical.{kind}, the raw table. Makes vanished; changes canonical.{kind}, canonical.pending, quality.shared_claim.
CREATE OR REPLACE TEMP TABLE vanished AS
SELECT c.source, c.external_id
FROM canonical.{kind} AS c
WHERE c.source = {connection} AND c._entity = {entity} AND NOT c.is_deleted
  AND ({is_dropped} OR c._record_id NOT IN (SELECT external_id FROM {raw}));

UPDATE canonical.{kind} AS c
SET is_deleted = true, _row_hash = '', _refined_at = {now}
FROM vanished AS v
WHERE c.source = v.source AND c.external_id = v.external_id;

DELETE FROM quality.shared_claim
WHERE connection = {connection} AND entity = {entity} AND target = '{kind}'
  AND ({is_dropped} OR record_id NOT IN (SELECT external_id FROM {raw}));

INSERT INTO canonical.pending (kind, source, external_id)
SELECT '{kind}', source, external_id FROM vanished
EXCEPT
SELECT kind, source, external_id FROM canonical.pending;
