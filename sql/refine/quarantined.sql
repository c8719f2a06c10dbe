-- Brings the quarantine up to date for the chunk's records: seen again, new, and no longer true.
-- What ingest could not read is settled only by a version of the record that arrived after it.
-- Reads fault, projected, chunk. Makes found, known; changes quality.quarantine.
CREATE OR REPLACE TEMP TABLE found AS
SELECT p._record_id AS record_id, p.external_id, f.field, f.rule, any_value(f.value) AS value, max(f.severity) AS severity
FROM fault AS f JOIN projected AS p ON p.rowid = f._n
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE known AS
SELECT q.rowid AS place, f.value, f.severity, f.record_id IS NOT NULL AS is_found
FROM quality.quarantine AS q
JOIN chunk AS k USING (record_id)
LEFT JOIN found AS f
  ON f.record_id = q.record_id AND f.rule = q.rule
  AND f.field IS NOT DISTINCT FROM q.field AND f.external_id IS NOT DISTINCT FROM q.external_id
WHERE q.connection = {connection} AND q.entity = {entity} AND q.status = 'open'
  AND (q.target = '{kind}' OR (starts_with(q.rule, 'unreadable:') AND k.synced_at > q.last_seen));

INSERT INTO quality.quarantine BY NAME
SELECT {connection} AS connection, {entity} AS entity, f.record_id, '{kind}' AS target, f.external_id, f.field, f.rule, f.value,
  {now} AS first_seen, {now} AS last_seen, {version} AS mapping_version, 'open' AS status, f.severity
FROM found AS f
WHERE NOT EXISTS (
  SELECT 1 FROM quality.quarantine AS q
  WHERE q.connection = {connection} AND q.entity = {entity} AND q.target = '{kind}' AND q.status = 'open'
    AND q.record_id = f.record_id AND q.rule = f.rule
    AND q.field IS NOT DISTINCT FROM f.field AND q.external_id IS NOT DISTINCT FROM f.external_id
);

UPDATE quality.quarantine AS q
SET status = CASE WHEN n.is_found THEN 'open' ELSE 'resolved' END,
  value = CASE WHEN n.is_found THEN n.value ELSE q.value END,
  severity = CASE WHEN n.is_found THEN n.severity ELSE q.severity END,
  last_seen = CASE WHEN n.is_found THEN {now} ELSE q.last_seen END,
  mapping_version = CASE WHEN n.is_found THEN {version} ELSE q.mapping_version END
FROM known AS n
WHERE q.rowid = n.place;
