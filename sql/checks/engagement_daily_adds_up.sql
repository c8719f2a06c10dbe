-- marts.engagement_daily counts every live activity once, day by day.
SELECT coalesce(CAST(day AS VARCHAR), 'no day') AS key
FROM (
    SELECT day, activities AS counted, 0 AS there FROM marts.engagement_daily
    UNION ALL SELECT CAST(occurred_at AT TIME ZONE 'UTC' AS DATE), 0, 1 FROM marts.activity_timeline
) AS counts
GROUP BY day
HAVING sum(counted) <> sum(there)
