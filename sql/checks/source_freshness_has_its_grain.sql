-- marts.source_freshness has one row per synced entity and counts every raw record.
SELECT source || '.' || entity AS key FROM marts.source_freshness GROUP BY source, entity HAVING count(*) > 1
UNION ALL
SELECT coalesce(f.source || '.' || f.entity, r.connection || '.' || r.entity)
FROM marts.source_freshness f
FULL JOIN (SELECT connection, entity, count(*) AS records FROM quality.raw_record GROUP BY connection, entity) r
  ON r.connection = f.source AND r.entity = f.entity
WHERE coalesce(f.records, 0) <> coalesce(r.records, 0)
