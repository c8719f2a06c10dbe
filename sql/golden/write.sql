-- match_row, the golden rows of one slice, written only where they differ from what stands.
CREATE OR REPLACE TEMP TABLE match_differing AS
SELECT n.id, o.KIND_id IS NULL AS is_new
FROM match_row n LEFT JOIN golden.KIND o ON o.KIND_id = n.id
WHERE o.KIND_id IS NULL OR o.provenance IS DISTINCT FROM n.provenance OR o.is_deleted IS DISTINCT FROM n.is_deleted
   OR o.sources IS DISTINCT FROM n.sources OR o.record_count IS DISTINCT FROM n.record_count;

DELETE FROM golden.KIND o USING (FROM match_differing WHERE NOT is_new) x WHERE x.id = o.KIND_id;

INSERT INTO golden.KIND BY NAME
SELECT n.* EXCLUDE (id), n.id AS KIND_id, r.now AS updated_at
FROM match_row n CROSS JOIN match_run r SEMI JOIN match_differing w USING (id);

INSERT INTO match_rewritten FROM match_differing;
