-- match_shared: the keys that several looked-at records carry, numbered.
CREATE OR REPLACE TEMP TABLE match_shared AS
SELECT row_number() OVER () AS key, rule, value, count(*) AS owners FROM match_key GROUP BY rule, value HAVING count(*) > 1;
