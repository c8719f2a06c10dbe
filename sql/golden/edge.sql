-- From keys to edges: every usable key with several owners ties each of them to its first owner (and that one to the second).
-- Who carries a key loosely is no owner here and comes last.
-- `code` orders a record's edges: best rule first, then the first other record.
CREATE OR REPLACE TEMP TABLE match_usable AS
SELECT k.node, s.key, r.number, r.level, CASE WHEN r.agree THEN k.qualifier ELSE '' END AS qualifier
FROM match_key k
JOIN (FROM match_shared ANTI JOIN match_hub USING (key)) s USING (rule, value)
JOIN match_rule r USING (rule)
WHERE NOT k.is_loose;

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

-- One letter apart on one phone.
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
    WHERE match_alike(a.first, a.last, b.first, b.last)
)
SELECT p.node, p.other, r.number, r.level, p.key FROM pair p JOIN match_rule r ON r.rule = 'phone_typo'
UNION ALL
SELECT p.other, p.node, r.number, r.level, p.key FROM pair p JOIN match_rule r ON r.rule = 'phone_typo';

-- Who carries a key loosely is tied to everyone at that key whose name agrees. On a key of which all names agree, who has none
-- agrees too; on one of several names, nobody knows which is theirs.
INSERT INTO match_edge
WITH loose AS (
    SELECT DISTINCT s.key, s.rule, s.value
    FROM match_key k JOIN (FROM match_shared ANTI JOIN match_hub USING (key)) s USING (rule, value)
    WHERE k.is_loose
),
bearer AS (
    SELECT k.node, l.key, r.number, r.level, k.is_loose, CASE WHEN l.rule <> 'name_account' THEN k.qualifier END AS name
    FROM match_key k JOIN loose l USING (rule, value) JOIN match_rule r ON r.loosens = l.rule
),
called AS (
    SELECT * EXCLUDE (name), coalesce(name, CASE WHEN min(name) OVER one IS NOT DISTINCT FROM max(name) OVER one
                                                 THEN coalesce(min(name) OVER one, '') END) AS name
    FROM bearer WINDOW one AS (PARTITION BY key)
),
pair AS (
    SELECT a.node, b.node AS other, a.number, a.level, a.key
    FROM called a JOIN called b ON a.key = b.key AND a.is_loose AND a.node <> b.node
    WHERE a.name = b.name
       OR match_alike(split_part(a.name, '|', 1), split_part(a.name, '|', 2), split_part(b.name, '|', 1), split_part(b.name, '|', 2))
)
SELECT node, other, number, level, key FROM pair
UNION
SELECT other, node, number, level, key FROM pair;
