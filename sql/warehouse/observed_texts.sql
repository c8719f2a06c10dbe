-- What the texts of some fields are, in a sample of those payloads: one kind per field where all of its texts agree, else
-- 'string'. $pointers holds a JSON pointer per field; n is its place, from 1. Nulls and empty texts say nothing.
WITH observed AS (
    SELECT unnest(range(1, len($pointers) + 1)) AS n, unnest(json_extract_string(payload, $pointers)) AS text
    FROM (SELECT payload FROM {table} WHERE _dlt_load_id > $since AND payload IS NOT NULL LIMIT $sample)
),
judged AS (
    SELECT n, CASE
        WHEN length(text) NOT BETWEEN 10 AND 35 THEN 'string'
        WHEN regexp_full_match(text, '\d\d\d\d-\d\d-\d\d')
            THEN if(TRY_CAST(text AS DATE) IS NULL, 'string', 'date')
        WHEN NOT regexp_full_match(text, '\d\d\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?')
            THEN 'string'
        WHEN regexp_matches(text, ':\d\d(\.\d+)?$')
            AND NOT regexp_matches(text, '[+-]\d\d:\d\d$') THEN if(TRY_CAST(text AS TIMESTAMP) IS NULL, 'string', 'local_time')
        ELSE if(TRY_CAST(text AS TIMESTAMPTZ) IS NULL, 'string', 'timestamp')
    END AS kind
    FROM observed WHERE text <> ''
)
SELECT n, if(min(kind) = max(kind), min(kind), 'string') FROM judged GROUP BY n;
