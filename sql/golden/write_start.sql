-- Golden rows of retired ids go. match_rewritten: the ids whose row turns out to be new or another. match_alone: the new entities
-- of one record, whose rows need neither survivorship nor comparison. match_joint: the other clusters, numbered for slicing.
DELETE FROM golden.KIND o USING match_retired x WHERE x.id = o.KIND_id;

CREATE OR REPLACE TEMP VIEW match_alone AS
SELECT f.id, f.cluster, n.*
FROM match_founded f
JOIN match_anchor a ON a.cluster = f.cluster AND a.members = 1
JOIN match_cluster c ON c.cluster = f.cluster
JOIN match_record n ON n.node = c.node;

CREATE OR REPLACE TEMP TABLE match_rewritten AS SELECT id, true AS is_new FROM match_alone;

CREATE OR REPLACE TEMP TABLE match_joint AS
SELECT row_number() OVER () AS place, g.cluster, g.id, a.members
FROM match_golden g JOIN match_anchor a USING (cluster) ANTI JOIN match_rewritten w ON w.id = g.id;
