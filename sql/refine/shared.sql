-- Shared rows: of all records that name one, the first stands for it and the others are noted, which is no fault. Live comes
-- before deleted, what shares nothing before what shares, then the newest change at the source, then the smallest record id;
-- of one record that says several things, the smallest hash. Nothing depends on who came first.
-- Reads staged, canonical.{kind}. Makes contested, claim; adds to quality.shared_claim, quality.unmapped; takes out of staged
-- the rows that do not come first.
CREATE OR REPLACE TEMP TABLE contested AS
SELECT external_id FROM staged GROUP BY external_id HAVING count(*) > 1
UNION
SELECT s.external_id
FROM staged AS s
JOIN canonical.{kind} AS c ON c.source = {connection} AND c.external_id = s.external_id
WHERE c._entity <> {entity} OR c._record_id <> s._record_id;

-- A row without a hash is no claim: its record does not yield it any more.
CREATE OR REPLACE TEMP TABLE claim AS
WITH named AS (
  SELECT _n, external_id, {entity} AS entity, _record_id AS record_id, source_updated_at, is_deleted, true AS is_shared, _row_hash
  FROM staged
  WHERE external_id IN (SELECT external_id FROM contested)
  UNION ALL
  SELECT NULL, external_id, _entity, _record_id, source_updated_at, is_deleted, _entity IN ({sharing}), _row_hash
  FROM canonical.{kind} AS c
  WHERE source = {connection} AND external_id IN (SELECT external_id FROM contested) AND _row_hash <> ''
    AND NOT (_entity = {entity} AND (external_id, _record_id) IN (SELECT (external_id, _record_id) FROM staged))
)
SELECT *,
  row_number() OVER one_key = 1 AS is_first,
  entity = first(entity) OVER one_key AND record_id = first(record_id) OVER one_key AS is_of_first
FROM named
WINDOW one_key AS (
  PARTITION BY external_id
  ORDER BY is_deleted, is_shared, source_updated_at DESC NULLS LAST, record_id, entity, _row_hash, _n
);

INSERT INTO quality.shared_claim (connection, entity, record_id, target, external_id, source_updated_at, is_deleted)
SELECT DISTINCT {connection}, entity, record_id, '{kind}', external_id, source_updated_at, is_deleted
FROM claim
WHERE is_shared AND NOT is_of_first;

INSERT INTO quality.unmapped (connection, entity, record_id, target, reason)
SELECT DISTINCT {connection}, entity, record_id, '{kind}', 'shared'
FROM claim AS n
WHERE is_shared AND NOT is_of_first
  AND NOT EXISTS (
    SELECT 1 FROM quality.unmapped AS u
    WHERE u.connection = {connection} AND u.entity = n.entity AND u.record_id = n.record_id AND u.target = '{kind}'
  );

DELETE FROM staged WHERE _n IN (SELECT _n FROM claim WHERE NOT is_first);
