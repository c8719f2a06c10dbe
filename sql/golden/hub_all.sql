-- match_hub when every record is looked at: only keys with more owners than some limit need a second look.
CREATE OR REPLACE TEMP TABLE match_hub AS
WITH crowded AS (
    SELECT s.key, s.rule, s.value, r.max_owners, r.max_qualifiers FROM match_shared s JOIN match_rule r USING (rule)
    WHERE s.owners > least(r.max_owners, r.max_qualifiers)
)
SELECT c.key FROM match_key k JOIN crowded c USING (rule, value)
GROUP BY c.key
HAVING count(*) > any_value(c.max_owners) OR count(DISTINCT k.qualifier) > any_value(c.max_qualifiers);
