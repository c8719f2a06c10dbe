-- match_touched: the keys the changed records had and those they have now. match_affected starts with whoever shares one of
-- them that is usable as things stood, with the members of the entities the changed records belong to, and with themselves.
-- Run before the keys are swapped.
CREATE OR REPLACE TEMP TABLE match_touched AS
SELECT k.rule, k.value FROM golden.KIND_key k SEMI JOIN match_change c USING (source, external_id)
UNION
SELECT rule, value FROM match_key;

CREATE OR REPLACE TEMP TABLE match_affected AS
WITH owner AS MATERIALIZED (SELECT k.* FROM golden.KIND_key k SEMI JOIN match_touched t USING (rule, value)),
usable AS (
    SELECT rule, value FROM owner JOIN match_rule USING (rule) GROUP BY rule, value
    HAVING count(*) <= any_value(max_owners) AND count(DISTINCT qualifier) <= any_value(max_qualifiers)
),
entity AS (SELECT DISTINCT KIND_id FROM golden.KIND_link SEMI JOIN match_change USING (source, external_id))
SELECT source, external_id FROM owner SEMI JOIN usable USING (rule, value)
UNION
SELECT source, external_id FROM golden.KIND_link SEMI JOIN entity USING (KIND_id)
UNION
SELECT source, external_id FROM match_change;
