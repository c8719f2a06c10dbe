-- Groups joined by a weak level, except where the joined group would contradict itself: then none of its arcs counts.
CREATE OR REPLACE TEMP TABLE match_join AS
WITH member AS (
    SELECT s.node, g.current, l.label
    FROM match_label l JOIN match_group g ON g.current = l.id JOIN match_strong s ON s.strong = g.strong
),
contradiction AS (
    SELECT m.label
    FROM member m JOIN match_contradiction c ON c.node = m.node
    GROUP BY m.label, c.scope
    HAVING count(DISTINCT c.value) > 1 AND count(DISTINCT m.current) > 1
)
SELECT l.id AS current, l.label FROM match_label l ANTI JOIN contradiction x ON x.label = l.label;

UPDATE match_group g SET current = j.label FROM match_join j WHERE j.current = g.current;

INSERT INTO match_step SELECT LEVEL, strong, current FROM match_group;
