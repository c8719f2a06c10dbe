-- Every link joins a canonical row (or one that resolution will look at) to a golden account, and no golden account is without links.
SELECT l.source || ':' || l.external_id AS key FROM golden.account_link l
WHERE NOT EXISTS (SELECT 1 FROM canonical.account c WHERE c.source = l.source AND c.external_id = l.external_id)
  AND NOT EXISTS (
    SELECT 1 FROM canonical.pending p WHERE p.kind = 'account' AND p.source = l.source AND p.external_id = l.external_id
  )
UNION ALL
SELECT l.source || ':' || l.external_id FROM golden.account_link l
WHERE NOT EXISTS (SELECT 1 FROM golden.account g WHERE g.account_id = l.account_id)
UNION ALL
SELECT g.account_id FROM golden.account g
WHERE NOT EXISTS (SELECT 1 FROM golden.account_link l WHERE l.account_id = g.account_id)
