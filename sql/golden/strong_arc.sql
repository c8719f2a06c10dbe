-- The arcs of strong rules.
CREATE OR REPLACE TEMP TABLE match_arc AS
SELECT DISTINCT e.node AS a, e.other AS b FROM match_edge e JOIN match_rule r USING (rule) WHERE r.level = 0
UNION
SELECT DISTINCT e.other, e.node FROM match_edge e JOIN match_rule r USING (rule) WHERE r.level = 0;
