-- match_entry: for each strong group beside its cluster's anchor, the weak level at which it reached the anchor's group.
CREATE OR REPLACE TEMP TABLE match_entry AS
WITH stray AS (
    SELECT DISTINCT c.strong, a.anchor FROM match_cluster c JOIN match_anchor a USING (cluster) WHERE c.strong <> a.anchor
)
SELECT s.strong, min(own.level) AS level
FROM stray s
JOIN match_step own ON own.strong = s.strong
JOIN match_step anchors ON anchors.strong = s.anchor AND anchors.level = own.level AND anchors.current = own.current
GROUP BY s.strong;

-- match_reason: for each node the edge that ties it to its cluster. A node of the anchor's strong group shows its best strong
-- edge; a node of another group shows the weak edge by which the group came in, its own or one lent by a member (`through`).
CREATE OR REPLACE TEMP TABLE match_reason AS
WITH edge AS MATERIALIZED (
    SELECT e.node, e.key, mine.strong, CAST(e.number AS BIGINT) * 1099511627776 + e.other AS code
    FROM match_edge e
    JOIN match_cluster mine ON mine.node = e.node
    JOIN match_cluster theirs ON theirs.node = e.other AND theirs.cluster = mine.cluster
    LEFT JOIN match_entry t ON t.strong = mine.strong
    WHERE e.level = coalesce(t.level, 0)
),
own AS (SELECT node, min(code) AS code FROM edge GROUP BY node),
lender AS (SELECT e.strong, min((e.code, e.node)) AS best FROM edge e SEMI JOIN match_entry t USING (strong) GROUP BY e.strong),
chosen AS (
    SELECT c.node, coalesce(own.code, lender.best[1]) AS code, coalesce(own.node, lender.best[2]) AS through
    FROM match_cluster c
    JOIN match_anchor a USING (cluster)
    LEFT JOIN own ON own.node = c.node
    LEFT JOIN lender ON lender.strong = c.strong
    WHERE a.members > 1 AND c.node <> a.anchor
)
SELECT c.node, c.code // 1099511627776 AS number, c.code % 1099511627776 AS other,
       nullif(c.through, c.node) AS through, min(s.value) AS value
FROM chosen c
JOIN edge e ON e.node = c.through AND e.code = c.code
JOIN match_shared s ON s.key = e.key
GROUP BY c.node, c.code, c.through;
