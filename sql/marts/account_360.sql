-- grain: one row per live golden account
-- key: account_id
-- owner: resolution
WITH people AS (
    SELECT account_id, count(*) AS people FROM golden.person WHERE NOT is_deleted AND account_id IS NOT NULL GROUP BY account_id
),
live AS (
    SELECT account_id, person_id, occurred_at, type, source, external_id,
           occurred_at IS NULL OR occurred_at <= now() AS has_happened
    FROM golden.activity
    WHERE NOT is_deleted AND account_id IS NOT NULL
),
placed AS (
    SELECT account_id, person_id, occurred_at, type, has_happened,
           row_number() OVER (
               PARTITION BY account_id, has_happened, type IS NULL
               ORDER BY occurred_at DESC NULLS FIRST, source DESC, external_id DESC
           ) AS place_by_type
    FROM live
),
engagement AS (
    SELECT account_id, count(*) FILTER (WHERE has_happened) AS activities,
           count(DISTINCT person_id) FILTER (WHERE has_happened) AS engaged_people,
           min(occurred_at) FILTER (WHERE has_happened) AS first_activity_at,
           max(occurred_at) FILTER (WHERE has_happened) AS last_activity_at,
           max(type) FILTER (WHERE has_happened AND place_by_type = 1) AS last_activity_type,
           count(*) FILTER (WHERE NOT has_happened) AS planned_activities,
           min(occurred_at) FILTER (WHERE NOT has_happened) AS next_activity_at
    FROM placed
    GROUP BY account_id
)
SELECT a.account_id, a.name, a.domain, a.industry, a.employee_count, a.annual_revenue,
       coalesce(p.people, 0) AS people, coalesce(e.engaged_people, 0) AS engaged_people,
       coalesce(e.activities, 0) AS activities, e.first_activity_at, e.last_activity_at, e.last_activity_type,
       a.sources, a.record_count, a.updated_at,
       coalesce(e.planned_activities, 0) AS planned_activities, e.next_activity_at
FROM golden.account a
LEFT JOIN people p USING (account_id)
LEFT JOIN engagement e USING (account_id)
WHERE NOT a.is_deleted
