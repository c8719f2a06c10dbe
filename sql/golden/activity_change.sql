-- Activities whose person or account may be another one: changed themselves, or pointing at a record that moved, or belonging to a
-- golden person whose row changed (an activity without an account of its own takes its person's).
CREATE OR REPLACE TEMP TABLE match_change AS
SELECT source, external_id FROM canonical.pending WHERE kind = 'activity'
UNION
SELECT a.source, a.external_id FROM canonical.activity a
SEMI JOIN match_moved_person m ON m.source = a.source AND m.external_id = a.person_external_id
UNION
SELECT a.source, a.external_id FROM canonical.activity a
SEMI JOIN match_moved_account m ON m.source = a.source AND m.external_id = a.account_external_id
UNION
SELECT a.source, a.external_id FROM golden.activity a SEMI JOIN match_rewritten w ON w.id = a.person_id;
