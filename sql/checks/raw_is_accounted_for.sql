-- Every raw record is canonical, quarantined or left out on purpose, for each kind its entity is mapped to.
-- By subtraction, which both databases do by hashing, whatever they know of the tables' sizes.
WITH left_out AS (SELECT DISTINCT connection, entity FROM quality.unmapped WHERE record_id IS NULL),
expected AS (
    SELECT r.connection, r.entity, r.record_id, t.target
    FROM quality.raw_record r
    LEFT JOIN quality.refined_target t ON t.connection = r.connection AND t.entity = r.entity
    LEFT JOIN left_out w ON w.connection = r.connection AND w.entity = r.entity
    WHERE w.connection IS NULL
),
for_every_kind AS (
    SELECT connection, entity, record_id FROM quality.quarantine WHERE status = 'open'
    UNION SELECT connection, entity, record_id FROM quality.unmapped WHERE target IS NULL AND record_id IS NOT NULL
),
unanswered AS (
    SELECT connection, entity, record_id, target FROM expected
    EXCEPT
    (
        SELECT source, _entity, _record_id, 'person' FROM canonical.person
        UNION ALL SELECT source, _entity, _record_id, 'account' FROM canonical.account
        UNION ALL SELECT source, _entity, _record_id, 'activity' FROM canonical.activity
        UNION ALL SELECT connection, entity, record_id, target FROM quality.unmapped WHERE target IS NOT NULL
        UNION ALL
        SELECT q.connection, q.entity, q.record_id, t.target
        FROM for_every_kind q
        LEFT JOIN quality.refined_target t ON t.connection = q.connection AND t.entity = q.entity
    )
)
SELECT connection || '.' || entity || '/' || record_id || coalesce(' as ' || target, '') AS key
FROM unanswered
