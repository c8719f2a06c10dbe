-- All keys at once.
TRUNCATE golden.KIND_key;
INSERT INTO golden.KIND_key BY NAME SELECT source, external_id, rule, value, qualifier, is_loose FROM match_key;
