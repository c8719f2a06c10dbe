-- grain: one row per live golden person
-- key: person_id
-- owner: resolution
WITH placed AS (
    SELECT person_id, occurred_at, type, channel,
           row_number() OVER (
               PARTITION BY person_id, type IS NULL ORDER BY occurred_at DESC NULLS FIRST, source DESC, external_id DESC
           ) AS place_by_type,
           row_number() OVER (
               PARTITION BY person_id, channel IS NULL ORDER BY occurred_at DESC NULLS FIRST, source DESC, external_id DESC
           ) AS place_by_channel
    FROM golden.activity
    WHERE NOT is_deleted AND person_id IS NOT NULL
),
engagement AS (
    SELECT person_id, count(*) AS activities, min(occurred_at) AS first_activity_at, max(occurred_at) AS last_activity_at,
           max(type) FILTER (WHERE place_by_type = 1) AS last_activity_type,
           max(channel) FILTER (WHERE place_by_channel = 1) AS last_activity_channel,
           array_agg(DISTINCT channel ORDER BY channel) AS channels
    FROM placed
    GROUP BY person_id
)
SELECT p.person_id, nullif(concat_ws(' ', p.first_name, p.last_name), '') AS full_name,
       p.first_name, p.last_name, p.email, p.phone, p.title,
       p.account_id, a.name AS account_name, a.domain AS account_domain, a.industry AS account_industry,
       coalesce(e.activities, 0) AS activities, e.first_activity_at, e.last_activity_at, e.last_activity_type,
       e.last_activity_channel, coalesce(e.channels, CAST(ARRAY[] AS TEXT[])) AS channels,
       p.sources, p.record_count, p.updated_at
FROM golden.person p
LEFT JOIN golden.account a USING (account_id)
LEFT JOIN engagement e USING (person_id)
WHERE NOT p.is_deleted
