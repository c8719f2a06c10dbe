-- The keys of some objects in a sample of those payloads, in the vendor's order. $objects and n as for the keys.
-- is_keyed: the object has more than 100 keys, each of which is in less than a twentieth of the records on average. It is
-- a list that is keyed by something (ids, days).
WITH met AS (
    SELECT unnest(range(1, len($objects) + 1)) AS n, unnest(json_keys(payload, $objects)) AS keys
    FROM (SELECT payload FROM {table} WHERE _dlt_load_id > $since AND payload IS NOT NULL LIMIT $sample)
),
placed AS (
    SELECT n, key, avg(place) AS place, count(*) AS mentions
    FROM (SELECT n, unnest(keys) AS key, generate_subscripts(keys, 1) AS place FROM met)
    GROUP BY n, key
),
counted AS (SELECT n, count(*) AS objects FROM met WHERE len(keys) > 0 GROUP BY n)
SELECT n, key, count(*) OVER object > 100 AND sum(mentions) OVER object * 20 < count(*) OVER object * objects AS is_keyed
FROM placed JOIN counted USING (n)
WINDOW object AS (PARTITION BY n)
ORDER BY n, place, key;
