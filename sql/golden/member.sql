-- match_member: the looked-at records under their golden ids, with what survivorship decides by.
CREATE OR REPLACE TEMP TABLE match_member AS
SELECT g.id, a.members, n.*, coalesce(p.priority, 1000000) AS priority, COMPLETENESS AS completeness
FROM match_record n
JOIN match_cluster c USING (node)
JOIN match_anchor a USING (cluster)
JOIN match_golden g USING (cluster)
LEFT JOIN match_priority p ON p.connector = n.connector;
