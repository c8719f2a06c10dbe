-- Every key at the top of the payloads that came with the loads not examined yet, in order of first appearance.
SELECT key
FROM (SELECT rowid AS r, unnest(json_keys(payload)) AS key FROM {table} WHERE _dlt_load_id > $since)
GROUP BY key
ORDER BY min(r), key;
