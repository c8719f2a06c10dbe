-- Unreadable records that are not in quarantine yet.
INSERT INTO quality.quarantine BY NAME
SELECT
  $connection AS connection, $entity AS entity, u.record_id, u.external_id, u.rule, u.value,
  $at AS first_seen, $at AS last_seen, 'open' AS status
FROM unreadable u
WHERE NOT EXISTS (
  SELECT 1 FROM quality.quarantine q
  WHERE q.connection = $connection AND q.entity = $entity AND q.record_id = u.record_id AND q.rule = u.rule
);
