-- The changed records' keys as they are now.
DELETE FROM golden.KIND_key k USING match_change c WHERE c.source = k.source AND c.external_id = k.external_id;
INSERT INTO golden.KIND_key BY NAME SELECT source, external_id, rule, value, qualifier, is_loose FROM match_key;
