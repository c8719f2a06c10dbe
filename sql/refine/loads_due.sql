-- Loads of an entity that this version of its mapping has not seen.
SELECT DISTINCT r._dlt_load_id
FROM {raw} AS r
WHERE r._dlt_load_id NOT IN (
  SELECT load_id FROM quality.refined_load
  WHERE connection = {connection} AND entity = {entity} AND mapping_version = {version}
)
