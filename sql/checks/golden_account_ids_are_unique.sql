-- A golden id is given out once and has one row.
SELECT account_id AS key FROM golden.account GROUP BY account_id HAVING count(*) > 1
UNION ALL
SELECT account_id FROM golden.account_identity GROUP BY account_id HAVING count(*) > 1
