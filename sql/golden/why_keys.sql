-- The keys that records of one golden person carry, those shared by most of them first.
WITH member AS (SELECT source, external_id FROM golden.person_link WHERE person_id = ?),
carried AS (
    SELECT k.rule, k.value, list_sort(list(k.source || ':' || k.external_id)) AS records
    FROM golden.person_key k SEMI JOIN member m USING (source, external_id)
    GROUP BY k.rule, k.value
)
SELECT c.rule, c.value, any_value(c.records) AS records, count(*) AS owners,
       count(*) <= any_value(r.max_owners) AND count(DISTINCT k.qualifier) <= any_value(r.max_qualifiers) AS is_used
FROM carried c
JOIN golden.person_key k USING (rule, value)
JOIN golden.person_rule r USING (rule)
GROUP BY c.rule, c.value
ORDER BY len(any_value(c.records)) DESC, c.rule, c.value
