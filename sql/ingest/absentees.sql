-- Absent rows as they stand, now deleted.
COPY (
  SELECT r.external_id, r.source_updated_at, true AS is_deleted, r.payload::VARCHAR AS payload, r.payload_hash
  FROM {stored} r
  JOIN absent a ON a.external_id = r.external_id
) TO {target} (FORMAT parquet, ROW_GROUP_SIZE 20000, ROW_GROUP_SIZE_BYTES '4MB');
