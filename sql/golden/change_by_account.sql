-- People whose account may be another one now: those who state an account record that moved, and those whose mail domain or
-- employer's name leads to another account. Adds to match_change; reads match_moved_account, match_home_before and match_home.
INSERT INTO match_change
SELECT p.source, p.external_id FROM canonical.person p
SEMI JOIN match_moved_account m ON m.source = p.source AND m.external_id = p.account_external_id
ANTI JOIN match_change c ON c.source = p.source AND c.external_id = p.external_id;

CREATE OR REPLACE TEMP TABLE match_moved_home AS
SELECT rule, value FROM match_home n FULL JOIN match_home_before b USING (rule, value)
WHERE n.account_id IS DISTINCT FROM b.account_id;

INSERT INTO match_change
SELECT DISTINCT p.source, p.external_id
FROM (
    SELECT source, external_id, unnest([host, regexp_replace(host, '^[^.]+\.', ''), regexp_replace(host, '^[^.]+\.[^.]+\.', '')]) AS domain
    FROM (SELECT source, external_id, MAIL_DOMAIN AS host FROM canonical.person WHERE email IS NOT NULL)
) p
SEMI JOIN match_moved_home h ON h.rule = 'domain' AND h.value = p.domain
ANTI JOIN match_change c ON c.source = p.source AND c.external_id = p.external_id;

INSERT INTO match_change
SELECT DISTINCT k.source, k.external_id
FROM golden.person_key k
SEMI JOIN match_moved_home h ON h.rule = 'name' AND h.value = k.value
ANTI JOIN match_change c ON c.source = k.source AND c.external_id = k.external_id
WHERE k.rule = 'employer';
