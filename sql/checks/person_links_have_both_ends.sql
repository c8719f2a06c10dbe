-- Every link joins a canonical row (or one that resolution will look at) to a golden person, and no golden person is without links.
SELECT l.source || ':' || l.external_id AS key FROM golden.person_link l
ANTI JOIN canonical.person c USING (source, external_id)
ANTI JOIN (SELECT source, external_id FROM canonical.pending WHERE kind = 'person') p USING (source, external_id)
UNION ALL
SELECT l.source || ':' || l.external_id FROM golden.person_link l ANTI JOIN golden.person g USING (person_id)
UNION ALL
SELECT g.person_id FROM golden.person g ANTI JOIN golden.person_link l USING (person_id)
