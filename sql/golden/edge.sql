-- From keys to edges: every usable key with several owners ties each of them to its first owner (and that one to the second).
CREATE OR REPLACE TEMP TABLE match_shared AS
SELECT rule, value, count(*) AS owners FROM match_key GROUP BY rule, value HAVING count(*) > 1;

CREATE OR REPLACE TEMP TABLE match_hub AS
SELECT k.rule, k.value
FROM match_universe k JOIN match_rule r USING (rule)
GROUP BY k.rule, k.value
HAVING count(*) > any_value(r.max_owners) OR count(DISTINCT k.qualifier) > any_value(r.max_qualifiers);

CREATE OR REPLACE TEMP TABLE match_usable AS
SELECT k.node, k.rule, k.value, CASE WHEN r.agree THEN k.qualifier ELSE '' END AS qualifier
FROM match_key k JOIN match_rule r USING (rule)
SEMI JOIN match_shared s USING (rule, value)
ANTI JOIN match_hub h USING (rule, value);

CREATE OR REPLACE TEMP TABLE match_edge AS
WITH grouped AS (
    SELECT rule, value, qualifier, min(node, 2) AS first_two FROM match_usable GROUP BY rule, value, qualifier HAVING count(*) > 1
)
SELECT u.node, CASE WHEN u.node = g.first_two[1] THEN g.first_two[2] ELSE g.first_two[1] END AS other, u.rule, u.value
FROM match_usable u JOIN grouped g USING (rule, value, qualifier);

-- One letter apart on one phone: equal first names and similar last names, or the other way round, and never short ones.
INSERT INTO match_edge
WITH name AS (
    SELECT value, qualifier, split_part(qualifier, '|', 1) AS first, split_part(qualifier, '|', 2) AS last, min(node) AS node
    FROM match_usable WHERE rule = 'phone' GROUP BY value, qualifier
),
pair AS (
    SELECT a.node AS node, b.node AS other, a.value
    FROM name a JOIN name b ON a.value = b.value AND a.qualifier < b.qualifier
    WHERE (a.first = b.first AND least(length(a.last), length(b.last)) >= 5 AND damerau_levenshtein(a.last, b.last) = 1)
       OR (a.last = b.last AND least(length(a.first), length(b.first)) >= 5 AND damerau_levenshtein(a.first, b.first) = 1)
)
SELECT node, other, 'phone_typo', value FROM pair
UNION ALL
SELECT other, node, 'phone_typo', value FROM pair;
