-- marts.engagement_daily counts every live activity once, day by day.
WITH counted AS (SELECT day, sum(activities) AS activities FROM marts.engagement_daily GROUP BY day),
there AS (
    SELECT CAST(occurred_at AT TIME ZONE 'UTC' AS DATE) AS day, count(*) AS activities FROM marts.activity_timeline GROUP BY ALL
)
SELECT coalesce(CAST(day AS VARCHAR), 'no day') AS key FROM counted FULL JOIN there USING (day)
WHERE counted.activities IS DISTINCT FROM there.activities
