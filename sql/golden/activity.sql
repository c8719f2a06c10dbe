-- golden.activity: each looked-at activity with the golden person and account it belongs to; written only where it differs.
CREATE OR REPLACE TEMP TABLE match_activity AS
SELECT c.source, c.external_id, c.connector, c.type, c.channel, c.occurred_at, p.person_id,
       coalesce(a.account_id, g.account_id) AS account_id, c.properties, c.is_deleted
FROM canonical.activity c
JOIN match_run r ON r.tenant_id = c.tenant_id
SEMI JOIN match_change x ON x.source = c.source AND x.external_id = c.external_id
LEFT JOIN golden.person_link p ON p.source = c.source AND p.external_id = c.person_external_id
LEFT JOIN golden.account_link a ON a.source = c.source AND a.external_id = c.account_external_id
LEFT JOIN golden.person g ON g.person_id = p.person_id;

CREATE OR REPLACE TEMP TABLE match_same AS
SELECT o.source, o.external_id
FROM golden.activity o SEMI JOIN match_change x USING (source, external_id) JOIN match_activity n USING (source, external_id)
WHERE o.person_id IS NOT DISTINCT FROM n.person_id AND o.account_id IS NOT DISTINCT FROM n.account_id AND o.type IS NOT DISTINCT FROM n.type
  AND o.occurred_at IS NOT DISTINCT FROM n.occurred_at AND o.channel IS NOT DISTINCT FROM n.channel AND o.is_deleted = n.is_deleted
  AND o.properties IS NOT DISTINCT FROM n.properties AND o.connector = n.connector;

DELETE FROM golden.activity o USING (SELECT * FROM match_change ANTI JOIN match_same USING (source, external_id)) x
WHERE x.source = o.source AND x.external_id = o.external_id;

CREATE OR REPLACE TEMP TABLE match_written AS
SELECT n.* FROM match_activity n ANTI JOIN match_same s USING (source, external_id);

INSERT INTO golden.activity BY NAME SELECT n.*, r.now AS updated_at FROM match_written n CROSS JOIN match_run r;
