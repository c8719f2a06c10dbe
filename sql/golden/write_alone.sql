-- The golden rows of match_alone.
INSERT INTO golden.KIND BY NAME
SELECT n.* EXCLUDE (id), n.id AS KIND_id, r.now AS updated_at FROM (ALONE) n CROSS JOIN match_run r;
