-- Whoever shares one of the touched keys that is usable as things stand now: run after the keys are swapped.
INSERT INTO match_affected
WITH owner AS MATERIALIZED (SELECT k.* FROM golden.KIND_key k SEMI JOIN match_touched t USING (rule, value)),
usable AS (
    SELECT rule, value FROM owner JOIN match_rule USING (rule) GROUP BY rule, value
    HAVING count(*) <= any_value(max_owners) AND count(DISTINCT qualifier) <= any_value(max_qualifiers)
)
SELECT DISTINCT source, external_id FROM owner SEMI JOIN usable USING (rule, value)
ANTI JOIN match_affected a USING (source, external_id);
