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
ANTI JOIN canonical_row c
  ON c.source = e.connection AND c._entity = e.entity AND c._record_id = e.record_id AND c.target = e.target
ANTI JOIN (SELECT * FROM quality.quarantine WHERE status = 'open') q
  ON q.connection = e.connection AND q.entity = e.entity AND q.record_id = e.record_id
ANTI JOIN (SELECT connection, entity FROM quality.unmapped WHERE record_id IS NULL) w
  ON w.connection = e.connection AND w.entity = e.entity
ANTI JOIN quality.unmapped u
  ON u.connection = e.connection AND u.entity = e.entity AND u.record_id = e.record_id
 AND coalesce(u.target, e.target, '') = coalesce(e.target, '')
