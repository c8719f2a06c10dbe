-- The JSON types met at some places in a sample of those payloads. $pointers holds a JSON pointer per place; n is its
-- number, from 1. Type by type and not with json_group_structure, which holds every payload in memory at once, nor with
-- json_structure, whose results differ from record to record where an object has hundreds of keys.
SELECT DISTINCT n, type
FROM (
    SELECT unnest(range(1, len($pointers) + 1)) AS n, unnest(json_type(payload, $pointers)) AS type
    FROM (SELECT payload FROM {table} WHERE _dlt_load_id > $since AND payload IS NOT NULL LIMIT $sample)
)
WHERE type IS NOT NULL;
