-- What the newest version of each record means for what is stored. `stored` holds the raw table without its payloads.
-- stale: older than what is stored, so it must not regress it. unchanged: nothing to write.
CREATE OR REPLACE TEMP TABLE verdict AS
SELECT
  s.external_id,
  f.newest,
  f.described,
  s._bare AS is_bare,
  CASE
    WHEN r.external_id IS NULL AND (s.is_deleted OR s._bare) THEN 'deleted'
    WHEN r.external_id IS NULL THEN 'created'
    WHEN s.source_updated_at < r.source_updated_at THEN 'stale'
    WHEN s._bare AND r.is_deleted THEN 'unchanged'
    WHEN s._bare THEN 'deleted'
    WHEN s.is_deleted = r.is_deleted AND s.payload_hash = r.payload_hash THEN 'unchanged'
    WHEN s.is_deleted AND NOT r.is_deleted THEN 'deleted'
    ELSE 'updated'
  END AS verdict
FROM fresh f
JOIN read_parquet({batch}) s ON s._position = f.newest
LEFT JOIN {stored} r ON r.external_id = s.external_id;
