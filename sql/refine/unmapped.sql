-- Records of the chunk that yield no row of the kind on purpose, each with the reason.
-- Reads chunk, projected. Adds to quality.unmapped.
INSERT INTO quality.unmapped (connection, entity, record_id, target, reason)
SELECT {connection}, {entity}, k.record_id, '{kind}',
  CASE WHEN k.is_tombstone THEN 'tombstone' WHEN p.record_id IS NULL THEN 'nothing_to_fan_out' ELSE 'when' END
FROM chunk AS k
LEFT JOIN (SELECT _record_id AS record_id, bool_or(_applies) AS applies FROM projected GROUP BY 1) AS p USING (record_id)
WHERE p.applies IS DISTINCT FROM true;
