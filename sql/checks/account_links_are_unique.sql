-- A canonical account belongs to one golden account.
SELECT source || ':' || external_id AS key FROM golden.account_link GROUP BY source, external_id HAVING count(*) > 1
