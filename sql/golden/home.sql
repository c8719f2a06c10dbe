-- match_home: the one golden account of each domain and name in match_sought; what several accounts have says nothing.
INSERT INTO match_site SELECT rule, value FROM match_sought ANTI JOIN match_site USING (rule, value);

INSERT INTO match_home
SELECT k.rule, k.value, min(l.account_id) AS account_id
FROM golden.account_key k
SEMI JOIN match_sought s USING (rule, value)
JOIN golden.account_link l USING (source, external_id)
GROUP BY k.rule, k.value HAVING count(DISTINCT l.account_id) = 1;
