-- A canonical person belongs to one golden person.
SELECT source || ':' || external_id AS key FROM golden.person_link GROUP BY source, external_id HAVING count(*) > 1
