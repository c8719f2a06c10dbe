-- grain: one row per day (UTC), person, account, channel and type with an activity, had or planned; an unknown one of these is null
-- key: day, person_id, account_id, channel, type
-- owner: resolution
SELECT CAST(occurred_at AT TIME ZONE 'UTC' AS DATE) AS day, person_id, account_id, channel, type,
       count(*) AS activities, array_agg(DISTINCT source ORDER BY source) AS sources
FROM golden.activity
WHERE NOT is_deleted
GROUP BY CAST(occurred_at AT TIME ZONE 'UTC' AS DATE), person_id, account_id, channel, type
