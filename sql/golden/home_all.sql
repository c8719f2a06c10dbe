-- match_domain: the one golden account of each mail domain there is; a domain with several accounts says nothing.
CREATE OR REPLACE TEMP TABLE match_domain AS
SELECT k.value AS domain, min(l.account_id) AS account_id
FROM golden.account_key k JOIN golden.account_link l USING (source, external_id)
WHERE k.rule = 'domain' GROUP BY k.value HAVING count(DISTINCT l.account_id) = 1;
