-- match_member: the looked-at records of one slice of clusters, with what survivorship decides by. Slices bound the memory.
CREATE OR REPLACE TEMP TABLE match_member AS
SELECT c.cluster, g.id, a.members, n.*, coalesce(p.priority, 1023) AS priority, COMPLETENESS AS completeness
FROM match_record n
JOIN match_cluster c ON c.node = n.node AND c.cluster >= LOWEST AND c.cluster < HIGHEST
JOIN match_anchor a ON a.cluster = c.cluster
JOIN match_golden g ON g.cluster = c.cluster
LEFT JOIN match_priority p ON p.connector = n.connector;
