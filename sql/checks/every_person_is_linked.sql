-- Every canonical person of this tenant is linked, unless resolution has not looked at it yet.
SELECT c.source || ':' || c.external_id AS key
FROM canonical.person c JOIN check_run USING (tenant_id)
ANTI JOIN golden.person_link l USING (source, external_id)
ANTI JOIN (SELECT source, external_id FROM canonical.pending WHERE kind = 'person') p USING (source, external_id)
