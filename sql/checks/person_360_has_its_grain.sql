-- marts.person_360 holds every live golden person once.
SELECT person_id AS key FROM marts.person_360 GROUP BY person_id HAVING count(*) > 1
UNION ALL
(SELECT person_id FROM golden.person WHERE NOT is_deleted EXCEPT SELECT person_id FROM marts.person_360)
