-- Live rows that a complete read of the entity no longer saw.
CREATE OR REPLACE TEMP TABLE absent AS
SELECT r.external_id
FROM {stored} r
ANTI JOIN {seen} s ON s.external_id = r.external_id
ANTI JOIN (SELECT unnest({unreadable}::VARCHAR[]) AS external_id) u ON u.external_id = r.external_id
WHERE NOT r.is_deleted;
