-- Live records rejected because another one owned their canonical key, where that owner has let go of it since.
-- Reads quality.quarantine, the raw table, canonical.{kind}. Gives their ids.
SELECT DISTINCT q.record_id
FROM quality.quarantine AS q
JOIN {raw} AS r ON r.external_id = q.record_id AND NOT r.is_deleted
LEFT JOIN canonical.{kind} AS c
  ON c.source = q.connection AND c.external_id = q.external_id AND NOT c.is_deleted
WHERE q.connection = {connection} AND q.entity = {entity} AND q.target = '{kind}'
  AND q.rule = 'duplicate_key' AND q.status = 'open' AND c.external_id IS NULL
