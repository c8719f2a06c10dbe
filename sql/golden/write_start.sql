-- Golden rows of retired ids go. match_rewritten: the ids whose row turns out to be new or another.
DELETE FROM golden.KIND o USING match_retired x WHERE x.id = o.KIND_id;

CREATE OR REPLACE TEMP TABLE match_rewritten (id VARCHAR, is_new BOOLEAN);
