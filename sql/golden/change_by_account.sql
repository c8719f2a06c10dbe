-- People whose account may be another one now: those who state an account record that moved, and those whose mail domain
-- belongs to an account that moved. Adds to match_change; reads match_moved_account, match_domain_before and match_domain.
INSERT INTO match_change
SELECT p.source, p.external_id FROM canonical.person p
SEMI JOIN match_moved_account m ON m.source = p.source AND m.external_id = p.account_external_id
ANTI JOIN match_change c ON c.source = p.source AND c.external_id = p.external_id;

CREATE OR REPLACE TEMP TABLE match_moved_domain AS
SELECT domain FROM match_domain n FULL JOIN match_domain_before b USING (domain) WHERE n.account_id IS DISTINCT FROM b.account_id;

INSERT INTO match_change
SELECT DISTINCT p.source, p.external_id
FROM (
    SELECT source, external_id, unnest([host, regexp_replace(host, '^[^.]+\.', ''), regexp_replace(host, '^[^.]+\.[^.]+\.', '')]) AS domain
    FROM (SELECT source, external_id, MAIL_DOMAIN AS host FROM canonical.person WHERE email IS NOT NULL)
) p
SEMI JOIN match_moved_domain d ON d.domain = p.domain
ANTI JOIN match_change c ON c.source = p.source AND c.external_id = p.external_id;
