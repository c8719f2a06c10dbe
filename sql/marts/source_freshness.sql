-- grain: one row per connection and entity that was ever synced
-- key: source, entity
-- owner: ingest
WITH refined AS (
    SELECT source, _entity AS entity, count(*) AS canonical_rows, max(_refined_at) AS last_refined_at
    FROM (
        SELECT source, _entity, _refined_at FROM canonical.person
        UNION ALL SELECT source, _entity, _refined_at FROM canonical.account
        UNION ALL SELECT source, _entity, _refined_at FROM canonical.activity
    ) AS canonical_row
    GROUP BY source, _entity
),
refused AS (
    SELECT connection, entity, count(DISTINCT record_id) AS quarantined_records
    FROM quality.quarantine WHERE status = 'open' GROUP BY connection, entity
)
SELECT e.connection AS source, e.connector, e.entity,
       count(r.record_id) AS records, count(r.record_id) FILTER (WHERE NOT r.is_deleted) AS live_records,
       max(r.source_updated_at) AS newest_change_at, max(r.synced_at) AS last_change_synced_at,
       any_value(f.last_refined_at) AS last_refined_at, coalesce(any_value(f.canonical_rows), 0) AS canonical_rows,
       coalesce(any_value(q.quarantined_records), 0) AS quarantined_records
FROM raw.entity e
LEFT JOIN quality.raw_record r ON r.connection = e.connection AND r.entity = e.entity
LEFT JOIN refined f ON f.source = e.connection AND f.entity = e.entity
LEFT JOIN refused q ON q.connection = e.connection AND q.entity = e.entity
GROUP BY e.connection, e.connector, e.entity
