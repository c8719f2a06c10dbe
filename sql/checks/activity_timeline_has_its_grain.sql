-- marts.activity_timeline holds every live golden activity once.
SELECT source || ':' || external_id AS key FROM marts.activity_timeline GROUP BY source, external_id HAVING count(*) > 1
UNION ALL
SELECT g.source || ':' || g.external_id FROM golden.activity g
WHERE NOT g.is_deleted
  AND NOT EXISTS (SELECT 1 FROM marts.activity_timeline t WHERE t.source = g.source AND t.external_id = g.external_id)
