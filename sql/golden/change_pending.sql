-- What is looked at after a refinement: the canonical rows it changed.
CREATE OR REPLACE TEMP TABLE match_change AS
SELECT DISTINCT source, external_id FROM canonical.pending WHERE kind = 'KIND';
