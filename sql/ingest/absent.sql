-- Live rows that a whole read of the entity, or of the ids that {covers} tells, no longer saw.
CREATE OR REPLACE TEMP TABLE absent AS
SELECT r.external_id
FROM {stored} r
ANTI JOIN {seen} s ON s.external_id = r.external_id
ANTI JOIN (SELECT unnest({unreadable}::VARCHAR[]) AS external_id) u ON u.external_id = r.external_id
WHERE NOT r.is_deleted AND {covers};
