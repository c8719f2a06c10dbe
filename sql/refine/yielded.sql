-- Shared rows that a record which shares nothing takes: the records that stood for them are noted as naming them.
-- Reads staged, canonical.{kind}. Makes yielded; adds to quality.shared_claim, quality.unmapped.
CREATE OR REPLACE TEMP TABLE yielded AS
SELECT c._entity AS entity, c._record_id AS record_id, c.external_id, c.source_updated_at, c.is_deleted
FROM canonical.{kind} AS c
SEMI JOIN staged AS s ON s.external_id = c.external_id
WHERE c.source = {connection} AND c._entity IN ({sharing}) AND c._row_hash <> '';

INSERT INTO quality.shared_claim (connection, entity, record_id, target, external_id, source_updated_at, is_deleted)
SELECT {connection}, entity, record_id, '{kind}', external_id, source_updated_at, is_deleted FROM yielded;

INSERT INTO quality.unmapped (connection, entity, record_id, target, reason)
SELECT DISTINCT {connection}, entity, record_id, '{kind}', 'shared'
FROM yielded AS n
WHERE NOT EXISTS (
  SELECT 1 FROM quality.unmapped AS u
  WHERE u.connection = {connection} AND u.entity = n.entity AND u.record_id = n.record_id AND u.target = '{kind}'
);
