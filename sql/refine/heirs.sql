-- Of each shared row that is due, the claim that comes first (the order is that of shared.sql); is_owner: it is canonical
-- already.
-- Reads quality.shared_due, quality.shared_claim, canonical.{kind}, the raw table. Makes heir_{kind}: one row per shared row
-- that is due; takes out of quality.shared_due what its first claim has already.
CREATE OR REPLACE TEMP TABLE heir_{kind} AS
WITH due AS (SELECT external_id FROM quality.shared_due WHERE connection = {connection} AND target = '{kind}'),
claim AS (
  SELECT external_id, entity, record_id, source_updated_at, is_deleted, true AS is_shared, false AS is_owner
  FROM quality.shared_claim
  WHERE connection = {connection} AND target = '{kind}' AND external_id IN (SELECT external_id FROM due)
    AND NOT (entity = {entity} AND record_id NOT IN (SELECT external_id FROM {raw}))
  UNION ALL
  SELECT external_id, _entity, _record_id, source_updated_at, is_deleted, _entity IN ({sharing}), true
  FROM canonical.{kind}
  WHERE source = {connection} AND external_id IN (SELECT external_id FROM due) AND _row_hash <> ''
)
SELECT external_id, entity, record_id, is_owner
FROM claim
QUALIFY row_number() OVER (
  PARTITION BY external_id
  ORDER BY is_deleted, is_shared, source_updated_at DESC NULLS LAST, record_id, entity
) = 1;

-- What its first claim has already, or nobody claims, is no longer due.
DELETE FROM quality.shared_due
WHERE connection = {connection} AND target = '{kind}'
  AND external_id NOT IN (SELECT external_id FROM heir_{kind} WHERE NOT is_owner);
