-- From keys to edges: every usable key with several owners ties each of them to its first owner (and that one to the second).
-- `code` orders a record's edges: best rule first, then the first other record.
CREATE OR REPLACE TEMP TABLE match_usable AS
SELECT k.node, s.key, r.number, r.level, CASE WHEN r.agree THEN k.qualifier ELSE '' END AS qualifier
FROM match_key k
JOIN (FROM match_shared ANTI JOIN match_hub USING (key)) s USING (rule, value)
JOIN match_rule r USING (rule);

CREATE OR REPLACE TEMP TABLE match_edge AS
WITH grouped AS (
    SELECT key, qualifier, min(node) AS first FROM match_usable GROUP BY key, qualifier HAVING count(*) > 1
),
second AS (
    SELECT g.key, g.qualifier, min(u.node) AS second
    FROM grouped g JOIN match_usable u ON u.key = g.key AND u.qualifier = g.qualifier AND u.node <> g.first
    GROUP BY g.key, g.qualifier
)
SELECT u.node, CASE WHEN u.node = g.first THEN s.second ELSE g.first END AS other, u.number, u.level, u.key
FROM match_usable u JOIN grouped g USING (key, qualifier) JOIN second s USING (key, qualifier);

-- One letter apart on one phone: equal first names and similar last names, or the other way round, and never short ones.
INSERT INTO match_edge
WITH phone AS (SELECT number, key FROM match_shared JOIN match_rule USING (rule) WHERE rule = 'phone'),
name AS (
    SELECT u.key, u.qualifier, split_part(u.qualifier, '|', 1) AS first, split_part(u.qualifier, '|', 2) AS last,
           min(u.node) AS node
    FROM match_usable u SEMI JOIN phone USING (key, number)
    GROUP BY u.key, u.qualifier
),
pair AS (
    SELECT a.node AS node, b.node AS other, a.key
    FROM name a JOIN name b ON a.key = b.key AND a.qualifier < b.qualifier
    WHERE (a.first = b.first AND least(length(a.last), length(b.last)) >= 5 AND damerau_levenshtein(a.last, b.last) = 1)
       OR (a.last = b.last AND least(length(a.first), length(b.first)) >= 5 AND damerau_levenshtein(a.first, b.first) = 1)
)
SELECT p.node, p.other, r.number, r.level, p.key FROM pair p JOIN match_rule r ON r.rule = 'phone_typo'
UNION ALL
SELECT p.other, p.node, r.number, r.level, p.key FROM pair p JOIN match_rule r ON r.rule = 'phone_typo';
