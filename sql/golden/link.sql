-- The link rows of the looked-at records, written only where they say something new. match_moved: records whose golden
-- entity is another one than before, those that are gone included.
CREATE OR REPLACE TEMP TABLE match_new_link AS
WITH told AS (
    SELECT w.node, r.rule, r.confidence, concat(
               '{"key":', to_json(w.value), ',"with":', to_json(o.source || ':' || o.external_id),
               CASE WHEN w.through IS NOT NULL THEN concat(',"through":', to_json(t.source || ':' || t.external_id)) END, '}'
           ) AS evidence
    FROM match_reason w
    JOIN match_rule r ON r.number = w.number
    JOIN match_record o ON o.node = w.other
    LEFT JOIN match_record t ON t.node = w.through
),
linked AS (
    SELECT c.node, g.id, coalesce(t.rule, 'anchor') AS rule, coalesce(t.confidence, 1.0) AS confidence,
           coalesce(t.evidence, '{}') AS evidence
    FROM match_cluster c JOIN match_golden g USING (cluster) LEFT JOIN told t USING (node)
)
SELECT n.source, n.external_id, l.id, l.rule, l.evidence, l.confidence,
       CASE WHEN h.id = l.id THEN h.since ELSE r.now END AS since,
       h.id IS DISTINCT FROM l.id AS is_moved, h.node IS NOT NULL AS is_known
FROM linked l
JOIN match_record n USING (node)
CROSS JOIN match_run r
LEFT JOIN match_held h USING (node)
WHERE h.id IS DISTINCT FROM l.id OR h.rule IS DISTINCT FROM l.rule OR h.evidence IS DISTINCT FROM l.evidence
   OR h.confidence IS DISTINCT FROM l.confidence;

CREATE OR REPLACE TEMP TABLE match_gone AS
SELECT l.source, l.external_id FROM golden.KIND_link l
SEMI JOIN match_change c USING (source, external_id)
ANTI JOIN match_record n USING (source, external_id);

CREATE OR REPLACE TEMP TABLE match_moved AS
SELECT source, external_id FROM match_new_link WHERE is_moved UNION ALL SELECT source, external_id FROM match_gone;

DELETE FROM golden.KIND_link l USING (
    SELECT source, external_id FROM match_new_link WHERE is_known UNION ALL SELECT source, external_id FROM match_gone
) x WHERE x.source = l.source AND x.external_id = l.external_id;

INSERT INTO golden.KIND_link BY NAME
SELECT source, external_id, id AS KIND_id, rule, evidence, confidence, since FROM match_new_link;
