-- Every canonical account of this tenant is linked, unless resolution has not looked at it yet.
SELECT c.source || ':' || c.external_id AS key
FROM canonical.account c JOIN check_run USING (tenant_id)
ANTI JOIN golden.account_link l USING (source, external_id)
ANTI JOIN (SELECT source, external_id FROM canonical.pending WHERE kind = 'account') p USING (source, external_id)
