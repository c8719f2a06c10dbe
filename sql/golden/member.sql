-- match_member: the looked-at records of one slice of clusters, with what survivorship decides by. Slices bound the memory.
CREATE OR REPLACE TEMP TABLE match_member AS
SELECT j.cluster, j.id, j.members, n.*, coalesce(p.priority, 1023) AS priority, COMPLETENESS AS completeness
FROM match_record n
JOIN match_cluster c ON c.node = n.node
JOIN match_joint j ON j.cluster = c.cluster AND j.place >= LOWEST AND j.place < HIGHEST
LEFT JOIN match_priority p ON p.connector = n.connector;
