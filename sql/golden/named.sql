-- match_named gains what records outside the picked ones refer to.
INSERT INTO match_named
SELECT DISTINCT rule, value FROM golden.KIND_key WHERE rule IN ('merged', 'reference')
EXCEPT SELECT rule, value FROM match_named;
