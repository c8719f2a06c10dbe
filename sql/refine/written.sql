-- Puts the changed rows in place and tells resolution which keys to look at. A deleted record whose key passes on to a live
-- one has no canonical row any more, and says why.
-- Reads changed, projected, vanished. Changes canonical.{kind}, canonical.pending; adds to quality.unmapped.
INSERT INTO quality.unmapped (connection, entity, record_id, target, reason)
SELECT c.source, c._entity, c._record_id, '{kind}', 'key_passed_on'
FROM canonical.{kind} AS c
JOIN changed AS n ON c.source = {connection} AND c.external_id = n.external_id
WHERE n._is_known AND (c._entity <> {entity} OR c._record_id <> n._record_id)
  AND NOT EXISTS (
    SELECT 1 FROM quality.unmapped AS u
    WHERE u.connection = c.source AND u.entity = c._entity AND u.record_id = c._record_id AND u.target = '{kind}'
  );

DELETE FROM canonical.{kind} AS c
USING changed AS n
WHERE n._is_known AND c.source = {connection} AND c.external_id = n.external_id;

INSERT INTO canonical.{kind} BY NAME
SELECT {columns}, n._row_hash, {now} AS _refined_at
FROM projected AS p JOIN changed AS n ON n._n = p.rowid;

INSERT INTO canonical.pending (kind, source, external_id)
SELECT '{kind}', {connection}, n.external_id
FROM (
  SELECT external_id FROM changed
  UNION ALL
  SELECT external_id FROM vanished ANTI JOIN changed USING (external_id)
) AS n
ANTI JOIN canonical.pending AS p ON p.kind = '{kind}' AND p.source = {connection} AND p.external_id = n.external_id;
