-- match_moved and match_rewritten of a kind of which nothing changed: no record moved, no golden row is another.
CREATE OR REPLACE TEMP TABLE match_moved (source VARCHAR, external_id VARCHAR);
CREATE OR REPLACE TEMP TABLE match_rewritten (id VARCHAR, is_new BOOLEAN);
