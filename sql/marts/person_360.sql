-- grain: one row per live golden person
-- key: person_id
-- owner: resolution
WITH live AS (
    SELECT person_id, occurred_at, type, channel, source, external_id,
           occurred_at IS NULL OR occurred_at <= now() AS has_happened
    FROM golden.activity
    WHERE NOT is_deleted AND person_id IS NOT NULL
),
placed AS (
    SELECT person_id, occurred_at, type, channel, has_happened,
           row_number() OVER (
               PARTITION BY person_id, has_happened, type IS NULL
               ORDER BY occurred_at DESC NULLS FIRST, source DESC, external_id DESC
           ) AS place_by_type,
           row_number() OVER (
               PARTITION BY person_id, has_happened, channel IS NULL
               ORDER BY occurred_at DESC NULLS FIRST, source DESC, external_id DESC
           ) AS place_by_channel
    FROM live
),
engagement AS (
    SELECT person_id, count(*) FILTER (WHERE has_happened) AS activities,
           min(occurred_at) FILTER (WHERE has_happened) AS first_activity_at,
           max(occurred_at) FILTER (WHERE has_happened) AS last_activity_at,
           max(type) FILTER (WHERE has_happened AND place_by_type = 1) AS last_activity_type,
           max(channel) FILTER (WHERE has_happened AND place_by_channel = 1) AS last_activity_channel,
           array_agg(DISTINCT channel ORDER BY channel) FILTER (WHERE has_happened) AS channels,
           count(*) FILTER (WHERE NOT has_happened) AS planned_activities,
           min(occurred_at) FILTER (WHERE NOT has_happened) AS next_activity_at
    FROM placed
    GROUP BY person_id
)
SELECT p.person_id, nullif(concat_ws(' ', p.first_name, p.last_name), '') AS full_name,
       p.first_name, p.last_name, p.email, p.phone, p.title,
       p.account_id, a.name AS account_name, a.domain AS account_domain, a.industry AS account_industry,
       coalesce(e.activities, 0) AS activities, e.first_activity_at, e.last_activity_at, e.last_activity_type,
       e.last_activity_channel, coalesce(e.channels, CAST(ARRAY[] AS TEXT[])) AS channels,
       p.sources, p.record_count, p.updated_at,
       coalesce(e.planned_activities, 0) AS planned_activities, e.next_activity_at
FROM golden.person p
LEFT JOIN golden.account a USING (account_id)
LEFT JOIN engagement e USING (person_id)
WHERE NOT p.is_deleted
