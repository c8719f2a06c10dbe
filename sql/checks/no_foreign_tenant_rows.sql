-- All canonical rows are of one tenant: the one whose warehouse this is.
WITH row_of AS (
    SELECT tenant_id, source, external_id FROM canonical.person
    UNION ALL SELECT tenant_id, source, external_id FROM canonical.account
    UNION ALL SELECT tenant_id, source, external_id FROM canonical.activity
)
SELECT source || ':' || external_id AS key FROM row_of r
WHERE NOT EXISTS (SELECT 1 FROM check_run c WHERE c.tenant_id = r.tenant_id)
