-- match_cluster: the derived groups, and of each the anchor: the first node of its largest strong group.
CREATE OR REPLACE TEMP TABLE match_cluster AS
SELECT s.node, s.strong, g.current AS cluster FROM match_strong s JOIN match_group g USING (strong);

CREATE OR REPLACE TEMP TABLE match_anchor AS
WITH part AS (SELECT cluster, strong, count(*) AS members FROM match_cluster GROUP BY cluster, strong)
SELECT cluster, arg_max(strong, (members, -strong)) AS anchor, CAST(sum(members) AS INTEGER) AS members FROM part GROUP BY cluster;
