-- Unreadable records that are in quarantine already: seen again, and open.
UPDATE quality.quarantine q
SET last_seen = $at, status = 'open', value = u.value
FROM unreadable u
WHERE q.connection = $connection AND q.entity = $entity AND q.record_id = u.record_id AND q.rule = u.rule;
