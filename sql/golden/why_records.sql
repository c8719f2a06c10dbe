-- The records of one golden person, the anchor first.
SELECT l.source, c.connector, l.external_id, c.is_deleted, c.source_updated_at, l.rule, l.confidence, l.evidence, l.since
FROM golden.person_link l
LEFT JOIN canonical.person c USING (source, external_id)
WHERE l.person_id = ?
ORDER BY l.confidence DESC, l.source, l.external_id
