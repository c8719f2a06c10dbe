-- The keys that records of one golden person carry, those shared by most of them first.
WITH carried AS (
    SELECT k.rule, k.value, count(*) AS carriers,
           array_agg(k.source || ':' || k.external_id ORDER BY k.source || ':' || k.external_id) AS records,
           array_agg(k.source || ':' || k.external_id ORDER BY k.source || ':' || k.external_id)
               FILTER (WHERE k.is_loose) AS loosely
    FROM golden.person_key k
    WHERE EXISTS (
        SELECT 1 FROM golden.person_link m
        WHERE m.person_id = ? AND m.source = k.source AND m.external_id = k.external_id
    )
    GROUP BY k.rule, k.value
)
SELECT c.rule, c.value, any_value(c.records) AS records, any_value(c.loosely) AS loosely, count(*) AS owners,
       count(*) <= any_value(r.max_owners) AND count(DISTINCT k.qualifier) <= any_value(r.max_qualifiers) AS is_used
FROM carried c
JOIN golden.person_key k ON k.rule = c.rule AND k.value = c.value
JOIN golden.person_rule r ON r.rule = c.rule
GROUP BY c.rule, c.value, c.carriers
ORDER BY c.carriers DESC, c.rule, c.value
