-- The arcs that rules of one weak level draw between the groups found below it.
CREATE OR REPLACE TEMP TABLE match_arc AS
WITH arc AS (
    SELECT ga.current AS a, gb.current AS b
    FROM match_edge e
    JOIN match_strong sa ON sa.node = e.node JOIN match_group ga ON ga.strong = sa.strong
    JOIN match_strong sb ON sb.node = e.other JOIN match_group gb ON gb.strong = sb.strong
    WHERE e.level = LEVEL AND ga.current <> gb.current
)
SELECT a, b FROM arc UNION SELECT b, a FROM arc;
