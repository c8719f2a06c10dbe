-- Every canonical activity is golden once, under the person and account its references lead to.
SELECT c.source || ':' || c.external_id AS key
FROM canonical.activity c
LEFT JOIN golden.activity g USING (source, external_id)
LEFT JOIN golden.person_link p ON p.source = c.source AND p.external_id = c.person_external_id
LEFT JOIN golden.account_link a ON a.source = c.source AND a.external_id = c.account_external_id
WHERE (
    g.source IS NULL OR g.person_id IS DISTINCT FROM p.person_id
    OR (a.account_id IS NOT NULL AND g.account_id IS DISTINCT FROM a.account_id)
  )
  AND NOT EXISTS (
    SELECT 1 FROM canonical.pending w WHERE w.kind = 'activity' AND w.source = c.source AND w.external_id = c.external_id
  )
UNION ALL
SELECT source || ':' || external_id FROM golden.activity GROUP BY source, external_id HAVING count(*) > 1
