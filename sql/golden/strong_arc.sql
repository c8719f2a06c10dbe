-- The arcs of strong rules, both ways.
CREATE OR REPLACE TEMP TABLE match_arc AS
SELECT node AS a, other AS b FROM match_edge WHERE level = 0
UNION
SELECT other, node FROM match_edge WHERE level = 0;
