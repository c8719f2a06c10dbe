-- Puts the changed rows in place and tells resolution which keys to look at.
DELETE FROM canonical.{kind} AS c
USING changed AS n
WHERE n._is_known AND c.source = {connection} AND c.external_id = n.external_id;

INSERT INTO canonical.{kind} BY NAME
SELECT {columns}, n._row_hash, {now} AS _refined_at
FROM projected AS p JOIN changed AS n ON n._n = p.rowid;

INSERT INTO canonical.pending
SELECT '{kind}', {connection}, external_id
FROM (SELECT external_id FROM changed UNION SELECT external_id FROM vanished)
EXCEPT
SELECT kind, source, external_id FROM canonical.pending;
