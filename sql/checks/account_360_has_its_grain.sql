-- marts.account_360 holds every live golden account once.
SELECT account_id AS key FROM marts.account_360 GROUP BY account_id HAVING count(*) > 1
UNION ALL
(SELECT account_id FROM golden.account WHERE NOT is_deleted EXCEPT SELECT account_id FROM marts.account_360)
