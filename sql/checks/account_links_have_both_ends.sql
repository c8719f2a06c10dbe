-- Every link joins a canonical row (or one that resolution will look at) to a golden account, and no golden account is without links.
SELECT l.source || ':' || l.external_id AS key FROM golden.account_link l
ANTI JOIN canonical.account c USING (source, external_id)
ANTI JOIN (SELECT source, external_id FROM canonical.pending WHERE kind = 'account') p USING (source, external_id)
UNION ALL
SELECT l.source || ':' || l.external_id FROM golden.account_link l ANTI JOIN golden.account g USING (account_id)
UNION ALL
SELECT g.account_id FROM golden.account g ANTI JOIN golden.account_link l USING (account_id)
