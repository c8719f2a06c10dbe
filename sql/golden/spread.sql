-- One step outwards: whoever shares a usable key with match_frontier and was not reached before becomes the next frontier.
CREATE OR REPLACE TEMP TABLE match_next_key AS
SELECT DISTINCT k.rule, k.value FROM golden.KIND_key k SEMI JOIN match_frontier f USING (source, external_id)
EXCEPT SELECT rule, value FROM match_seen_key;

INSERT INTO match_seen_key SELECT rule, value FROM match_next_key;

CREATE OR REPLACE TEMP TABLE match_frontier AS
WITH owner AS MATERIALIZED (SELECT k.* FROM golden.KIND_key k SEMI JOIN match_next_key n USING (rule, value)),
usable AS (
    SELECT rule, value FROM owner JOIN match_rule USING (rule) GROUP BY rule, value
    HAVING count(*) BETWEEN 2 AND any_value(max_owners) AND count(DISTINCT qualifier) <= any_value(max_qualifiers)
)
SELECT DISTINCT source, external_id FROM owner SEMI JOIN usable USING (rule, value)
ANTI JOIN match_affected a USING (source, external_id);

INSERT INTO match_affected SELECT source, external_id FROM match_frontier;
