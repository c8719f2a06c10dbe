-- match_member: the looked-at records under their clusters, with what survivorship decides by.
CREATE OR REPLACE TEMP TABLE match_member AS
SELECT c.cluster, a.members, n.*, coalesce(p.priority, 1023) AS priority, COMPLETENESS AS completeness
FROM match_record n
JOIN match_cluster c USING (node)
JOIN match_anchor a USING (cluster)
LEFT JOIN match_priority p ON p.connector = n.connector;
