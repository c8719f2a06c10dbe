-- Every raw record is canonical, quarantined or left out on purpose, for each kind its entity is mapped to.
WITH expected AS (
    SELECT r.connection, r.entity, r.record_id, t.target
    FROM quality.raw_record r
    LEFT JOIN quality.refined_target t ON t.connection = r.connection AND t.entity = r.entity
),
canonical_row AS (
    SELECT source, _entity, _record_id, 'person' AS target FROM canonical.person
    UNION ALL SELECT source, _entity, _record_id, 'account' FROM canonical.account
    UNION ALL SELECT source, _entity, _record_id, 'activity' FROM canonical.activity
)
SELECT e.connection || '.' || e.entity || '/' || e.record_id || coalesce(' as ' || e.target, '') AS key
FROM expected e
WHERE NOT EXISTS (
    SELECT 1 FROM canonical_row c
    WHERE c.source = e.connection AND c._entity = e.entity AND c._record_id = e.record_id AND c.target = e.target
  )
  AND NOT EXISTS (
    SELECT 1 FROM quality.quarantine q
    WHERE q.status = 'open' AND q.connection = e.connection AND q.entity = e.entity AND q.record_id = e.record_id
  )
  AND NOT EXISTS (
    SELECT 1 FROM quality.unmapped w WHERE w.record_id IS NULL AND w.connection = e.connection AND w.entity = e.entity
  )
  AND NOT EXISTS (
    SELECT 1 FROM quality.unmapped u
    WHERE u.connection = e.connection AND u.entity = e.entity AND u.record_id = e.record_id
      AND coalesce(u.target, e.target, '') = coalesce(e.target, '')
  )
