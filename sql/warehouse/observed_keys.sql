-- Every key of some objects in the payloads that came with the loads not examined yet. $objects holds a JSON pointer per
-- object, '' for the payload itself; n is its number, from 1.
SELECT n, key
FROM (
    SELECT n, unnest(keys) AS key
    FROM (
        SELECT unnest(range(1, len($objects) + 1)) AS n, unnest(json_keys(payload, $objects)) AS keys
        FROM {table}
        WHERE _dlt_load_id > $since AND payload IS NOT NULL
    )
)
GROUP BY n, key
ORDER BY n, key
LIMIT $most;
