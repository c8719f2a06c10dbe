-- The link rows of the looked-at records, written only where they say something new. match_moved: records whose golden
-- entity is another one than before, those that are gone included.
CREATE OR REPLACE TEMP TABLE match_link AS
SELECT n.source, n.external_id, g.id,
       coalesce(w.rule, 'anchor') AS rule,
       CASE WHEN coalesce(w.rule, 'anchor') = 'anchor' THEN '{}'
            WHEN w.through IS NULL THEN to_json({'key': w.value, 'with': o.source || ':' || o.external_id})
            ELSE to_json({
                'key': w.value, 'with': o.source || ':' || o.external_id, 'through': t.source || ':' || t.external_id
            }) END AS evidence,
       coalesce(r.confidence, 1.0) AS confidence
FROM match_record n
JOIN match_cluster c USING (node)
JOIN match_golden g USING (cluster)
LEFT JOIN match_reason w ON w.node = n.node
LEFT JOIN match_rule r ON r.rule = w.rule
LEFT JOIN match_record o ON o.node = w.other
LEFT JOIN match_record t ON t.node = w.through;

CREATE OR REPLACE TEMP TABLE match_new_link AS
SELECT l.*, CASE WHEN h.KIND_id = l.id THEN h.since ELSE r.now END AS since, h.KIND_id IS DISTINCT FROM l.id AS is_moved,
       h.source IS NOT NULL AS is_known
FROM match_link l CROSS JOIN match_run r
LEFT JOIN golden.KIND_link h USING (source, external_id)
WHERE h.KIND_id IS DISTINCT FROM l.id OR h.rule <> l.rule OR h.evidence <> l.evidence OR h.confidence <> l.confidence;

CREATE OR REPLACE TEMP TABLE match_gone AS
SELECT l.source, l.external_id FROM golden.KIND_link l
SEMI JOIN match_change c USING (source, external_id)
ANTI JOIN match_record n USING (source, external_id);

CREATE OR REPLACE TEMP TABLE match_moved AS
SELECT source, external_id FROM match_new_link WHERE is_moved UNION ALL SELECT source, external_id FROM match_gone;

DELETE FROM golden.KIND_link l USING (
    SELECT source, external_id FROM match_new_link WHERE is_known UNION ALL SELECT source, external_id FROM match_gone
) x WHERE x.source = l.source AND x.external_id = l.external_id;

INSERT INTO golden.KIND_link
SELECT source, external_id, id, rule, evidence, confidence, since FROM match_new_link;
