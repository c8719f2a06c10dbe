-- The structure of a sample of those payloads: exact for a usual load, and cheap for a first one of millions.
SELECT json_group_structure(payload)
FROM (SELECT payload FROM {table} WHERE _dlt_load_id > $since AND payload IS NOT NULL LIMIT 20000);
