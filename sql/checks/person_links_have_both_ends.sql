-- Every link joins a canonical row (or one that resolution will look at) to a golden person, and no golden person is without links.
SELECT l.source || ':' || l.external_id AS key FROM golden.person_link l
WHERE NOT EXISTS (SELECT 1 FROM canonical.person c WHERE c.source = l.source AND c.external_id = l.external_id)
  AND NOT EXISTS (
    SELECT 1 FROM canonical.pending p WHERE p.kind = 'person' AND p.source = l.source AND p.external_id = l.external_id
  )
UNION ALL
SELECT l.source || ':' || l.external_id FROM golden.person_link l
WHERE NOT EXISTS (SELECT 1 FROM golden.person g WHERE g.person_id = l.person_id)
UNION ALL
SELECT g.person_id FROM golden.person g
WHERE NOT EXISTS (SELECT 1 FROM golden.person_link l WHERE l.person_id = g.person_id)
