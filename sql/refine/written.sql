-- Puts the changed rows in place and tells resolution which keys to look at.
DELETE FROM canonical.{kind} AS c
USING changed AS n
WHERE n._is_known AND c.source = n.source AND c.external_id = n.external_id;

INSERT INTO canonical.{kind} BY NAME SELECT * EXCLUDE (_is_known, _was_deleted) FROM changed;

INSERT INTO canonical.pending
SELECT '{kind}', source, external_id
FROM (SELECT source, external_id FROM changed UNION SELECT source, external_id FROM vanished)
EXCEPT
SELECT kind, source, external_id FROM canonical.pending;
