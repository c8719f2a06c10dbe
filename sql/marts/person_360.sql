-- grain: one row per live golden person
-- key: person_id
-- owner: resolution
CREATE OR REPLACE VIEW marts.person_360 AS
WITH engagement AS (
    SELECT person_id, count(*) AS activities, min(occurred_at) AS first_activity_at, max(occurred_at) AS last_activity_at,
           arg_max(type, (occurred_at, source, external_id)) AS last_activity_type,
           arg_max(channel, (occurred_at, source, external_id)) AS last_activity_channel,
           list_sort(list(DISTINCT channel)) AS channels
    FROM golden.activity
    WHERE NOT is_deleted AND person_id IS NOT NULL
    GROUP BY person_id
)
SELECT p.person_id, nullif(concat_ws(' ', p.first_name, p.last_name), '') AS full_name,
       p.first_name, p.last_name, p.email, p.phone, p.title,
       p.account_id, a.name AS account_name, a.domain AS account_domain, a.industry AS account_industry,
       coalesce(e.activities, 0) AS activities, e.first_activity_at, e.last_activity_at, e.last_activity_type,
       e.last_activity_channel, coalesce(e.channels, []) AS channels,
       p.sources, p.record_count, p.updated_at
FROM golden.person p
LEFT JOIN golden.account a USING (account_id)
LEFT JOIN engagement e USING (person_id)
WHERE NOT p.is_deleted;
