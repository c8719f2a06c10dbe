-- match_hub: shared keys beyond their rule's limits, weighed by all their owners, those not looked at included.
CREATE OR REPLACE TEMP TABLE match_hub AS
SELECT s.key
FROM golden.KIND_key k
JOIN match_shared s USING (rule, value)
JOIN match_rule r USING (rule)
GROUP BY s.key
HAVING count(*) > any_value(r.max_owners) OR count(DISTINCT k.qualifier) > any_value(r.max_qualifiers);
