-- match_home: the one golden account of each domain and name there is; what several accounts have says nothing.
CREATE OR REPLACE TEMP TABLE match_home AS
SELECT k.rule, k.value, min(l.account_id) AS account_id
FROM golden.account_key k JOIN golden.account_link l USING (source, external_id)
WHERE k.rule IN ('domain', 'name') GROUP BY k.rule, k.value HAVING count(DISTINCT l.account_id) = 1;
