-- The structures met in a sample of those payloads: exact for a usual load, and cheap for a first one of millions.
-- One by one and not with json_group_structure: that holds every payload in memory at once.
SELECT DISTINCT json_structure(payload)
FROM (SELECT payload FROM {table} WHERE _dlt_load_id > $since AND payload IS NOT NULL LIMIT 10000);
