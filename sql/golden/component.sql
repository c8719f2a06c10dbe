-- match_label: connected components of match_arc, which holds both directions of each arc; the label is the smallest member.
CREATE OR REPLACE TEMP TABLE match_label AS
WITH RECURSIVE component(id, label) USING KEY (id) AS (
    SELECT a, a FROM (SELECT DISTINCT a FROM match_arc)
    UNION
    (
        SELECT arc.b, min(least(mine.label, theirs.label))
        FROM component mine
        JOIN match_arc arc ON arc.a = mine.id
        JOIN recurring.component theirs ON theirs.id = arc.b
        WHERE mine.label < theirs.label
        GROUP BY arc.b
    )
)
SELECT id, label FROM component;
