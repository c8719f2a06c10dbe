-- A golden id is given out once and has one row.
SELECT person_id AS key FROM golden.person GROUP BY person_id HAVING count(*) > 1
UNION ALL
SELECT person_id FROM golden.person_identity GROUP BY person_id HAVING count(*) > 1
