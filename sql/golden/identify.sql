-- match_golden: the golden id of each cluster. An id follows the biggest part of what it named (then the part linked longest,
-- then the first in key order); where several ids arrive at one cluster the one bringing most records stays (then the one held
-- longest, then the smaller id) and the others are retired, pointing at it. A cluster that no id arrives at is given a new one,
-- derived from its first record and from how many ids that record founded before.
CREATE OR REPLACE TEMP TABLE match_held AS
SELECT n.node, l.KIND_id AS id, l.rule, l.evidence, l.confidence, l.since
FROM match_record n JOIN golden.KIND_link l USING (source, external_id);

CREATE OR REPLACE TEMP TABLE match_arrival AS
WITH part AS (
    SELECT h.id, c.cluster, count(*) AS records, min(h.since) AS since, min(h.node) AS first
    FROM match_held h JOIN match_cluster c USING (node) GROUP BY h.id, c.cluster
)
SELECT * FROM part QUALIFY row_number() OVER (PARTITION BY id ORDER BY records DESC, since, first) = 1;

CREATE OR REPLACE TEMP TABLE match_kept AS
SELECT cluster, id FROM match_arrival
QUALIFY row_number() OVER (PARTITION BY cluster ORDER BY records DESC, since, id) = 1;

CREATE OR REPLACE TEMP TABLE match_founded AS
WITH founder AS (
    SELECT a.cluster, n.source, n.external_id
    FROM (SELECT cluster, min(node) AS node FROM match_cluster GROUP BY cluster) a
    JOIN match_record n USING (node)
    ANTI JOIN match_kept k ON k.cluster = a.cluster
),
earlier AS (SELECT source, external_id, count(*) AS ids FROM golden.KIND_identity GROUP BY source, external_id)
SELECT f.cluster, f.source, f.external_id, CAST(coalesce(e.ids, 0) AS INTEGER) AS ordinal,
       'PREFIX_' || left(md5(concat_ws('|', r.tenant_id, f.source, f.external_id, coalesce(e.ids, 0))), 24) AS id
FROM founder f CROSS JOIN match_run r
LEFT JOIN earlier e ON e.source = f.source AND e.external_id = f.external_id;

CREATE OR REPLACE TEMP TABLE match_golden AS
SELECT cluster, id FROM match_kept UNION ALL SELECT cluster, id FROM match_founded;

CREATE OR REPLACE TEMP TABLE match_retired AS
WITH former AS (
    SELECT id FROM match_held
    UNION
    SELECT l.KIND_id FROM golden.KIND_link l SEMI JOIN match_change c USING (source, external_id)
)
SELECT f.id, g.id AS merged_into
FROM former f
LEFT JOIN match_arrival a ON a.id = f.id
LEFT JOIN match_golden g ON g.cluster = a.cluster
ANTI JOIN match_kept k ON k.id = f.id;

INSERT INTO golden.KIND_identity BY NAME
SELECT f.id AS KIND_id, f.source, f.external_id, f.ordinal, r.now AS since FROM match_founded f CROSS JOIN match_run r;

UPDATE golden.KIND_identity i SET merged_into = t.merged_into FROM match_retired t WHERE i.KIND_id = t.id;
UPDATE golden.KIND_identity i SET merged_into = t.merged_into FROM match_retired t WHERE i.merged_into = t.id;
