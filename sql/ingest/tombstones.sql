-- Tombstones to load, each with the last payload known: of this batch where it is not older than what is stored.
COPY (
  SELECT
    v.external_id,
    coalesce(t.source_updated_at, d.source_updated_at, r.source_updated_at) AS source_updated_at,
    true AS is_deleted,
    CASE WHEN {batch_is_newer} THEN d.payload ELSE r.payload::VARCHAR END AS payload,
    CASE WHEN {batch_is_newer} THEN d.payload_hash ELSE r.payload_hash END AS payload_hash
  FROM verdict v
  JOIN (SELECT _position, source_updated_at FROM read_parquet({batch}) WHERE _bare) t ON t._position = v.newest
  LEFT JOIN read_parquet({batch}) d ON d._position = v.described
  LEFT JOIN {stored} r ON r.external_id = v.external_id
  WHERE v.verdict = 'deleted'
) TO {target} (FORMAT parquet, ROW_GROUP_SIZE 20000, ROW_GROUP_SIZE_BYTES '4MB');
