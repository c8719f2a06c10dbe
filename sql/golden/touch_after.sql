-- Whoever shares a usable key with a changed record now is looked at too, however the key stood before.
INSERT INTO match_touched
SELECT rule, value FROM match_key EXCEPT SELECT rule, value FROM match_touched;

INSERT INTO match_affected
WITH owner AS MATERIALIZED (SELECT k.* FROM golden.KIND_key k SEMI JOIN match_touched t USING (rule, value)),
usable AS (
    SELECT rule, value FROM owner JOIN match_rule USING (rule) GROUP BY rule, value
    HAVING count(*) <= any_value(max_owners) AND count(DISTINCT qualifier) <= any_value(max_qualifiers)
)
SELECT DISTINCT source, external_id FROM owner SEMI JOIN usable USING (rule, value)
ANTI JOIN match_affected a USING (source, external_id);
