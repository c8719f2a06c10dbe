-- A golden person counts the records linked to it, and is deleted exactly when all of them are.
SELECT g.person_id AS key
FROM golden.person g
JOIN golden.person_link l USING (person_id)
JOIN canonical.person c USING (source, external_id)
WHERE NOT EXISTS (SELECT 1 FROM canonical.pending)
GROUP BY g.person_id
HAVING count(*) <> any_value(g.record_count) OR bool_and(c.is_deleted) <> any_value(g.is_deleted)
