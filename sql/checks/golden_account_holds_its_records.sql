-- A golden account counts the records linked to it, and is deleted exactly when all of them are.
SELECT g.account_id AS key
FROM golden.account g
JOIN golden.account_link l USING (account_id)
JOIN canonical.account c USING (source, external_id)
WHERE NOT EXISTS (SELECT 1 FROM canonical.pending)
GROUP BY g.account_id
HAVING count(*) <> any_value(g.record_count) OR bool_and(c.is_deleted) <> any_value(g.is_deleted)
