-- marts.activity_timeline holds every live golden activity once.
SELECT source || ':' || external_id AS key FROM marts.activity_timeline GROUP BY source, external_id HAVING count(*) > 1
UNION ALL
SELECT g.source || ':' || g.external_id FROM golden.activity g
ANTI JOIN marts.activity_timeline t USING (source, external_id)
WHERE NOT g.is_deleted
