-- Every activity there is or was.
CREATE OR REPLACE TEMP TABLE match_change AS
SELECT source, external_id FROM canonical.activity UNION SELECT source, external_id FROM golden.activity;
