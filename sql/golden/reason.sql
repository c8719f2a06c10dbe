-- match_reason: for each node the rule that ties it to its cluster. A node of the anchor's strong group shows its best strong
-- edge; a node of another group shows the weak rule of the level at which its group reached the anchor's, by an edge of its own
-- or of a group member (then the evidence says through whom).
CREATE OR REPLACE TEMP TABLE match_entry AS
WITH stray AS (
    SELECT DISTINCT c.strong, a.anchor FROM match_cluster c JOIN match_anchor a USING (cluster) WHERE c.strong <> a.anchor
)
SELECT s.strong, min(own.level) AS level
FROM stray s
JOIN match_step own ON own.strong = s.strong
JOIN match_step anchors ON anchors.strong = s.anchor AND anchors.level = own.level AND anchors.current = own.current
GROUP BY s.strong;

CREATE OR REPLACE TEMP TABLE match_reason AS
WITH edge AS MATERIALIZED (
    SELECT e.node, e.other, e.rule, e.value, r.level, r.confidence, mine.strong
    FROM match_edge e
    JOIN match_rule r USING (rule)
    JOIN match_cluster mine ON mine.node = e.node
    JOIN match_cluster theirs ON theirs.node = e.other AND theirs.cluster = mine.cluster
),
own AS (
    SELECT e.node, arg_min((e.rule, e.value, e.other), (-e.confidence, e.rule, e.value, e.other)) AS best
    FROM edge e LEFT JOIN match_entry t USING (strong)
    WHERE e.level = coalesce(t.level, 0)
    GROUP BY e.node
),
lent AS (
    SELECT e.strong, arg_min((e.rule, e.value, e.other, e.node), (-e.confidence, e.rule, e.value, e.other, e.node)) AS best
    FROM edge e JOIN match_entry t ON t.strong = e.strong AND t.level = e.level
    GROUP BY e.strong
)
SELECT c.node,
       CASE WHEN c.node = a.anchor THEN 'anchor' ELSE coalesce(own.best[1], lent.best[1]) END AS rule,
       coalesce(own.best[2], lent.best[2]) AS value,
       coalesce(own.best[3], lent.best[3]) AS other,
       CASE WHEN own.best IS NULL THEN lent.best[4] END AS through
FROM match_cluster c
JOIN match_anchor a USING (cluster)
LEFT JOIN own ON own.node = c.node AND c.node <> a.anchor
LEFT JOIN lent ON lent.strong = c.strong AND c.strong <> a.anchor
WHERE a.members > 1;
