-- match_domain: the one golden account of each mail domain in match_sought; a domain with several accounts says nothing.
INSERT INTO match_site SELECT domain FROM match_sought ANTI JOIN match_site USING (domain);

INSERT INTO match_domain
SELECT k.value AS domain, min(l.account_id) AS account_id
FROM golden.account_key k
SEMI JOIN match_sought s ON s.domain = k.value
JOIN golden.account_link l USING (source, external_id)
WHERE k.rule = 'domain' GROUP BY k.value HAVING count(DISTINCT l.account_id) = 1;
