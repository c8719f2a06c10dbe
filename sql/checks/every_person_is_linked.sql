-- Every canonical person of this tenant is linked, unless resolution has not looked at it yet.
SELECT c.source || ':' || c.external_id AS key
FROM canonical.person c JOIN check_run USING (tenant_id)
WHERE NOT EXISTS (SELECT 1 FROM golden.person_link l WHERE l.source = c.source AND l.external_id = c.external_id)
  AND NOT EXISTS (
    SELECT 1 FROM canonical.pending p WHERE p.kind = 'person' AND p.source = c.source AND p.external_id = c.external_id
  )
