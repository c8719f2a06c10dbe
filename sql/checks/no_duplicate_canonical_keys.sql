-- One canonical row per kind, source and external id.
SELECT 'person ' || source || ':' || external_id AS key FROM canonical.person GROUP BY source, external_id HAVING count(*) > 1
UNION ALL
SELECT 'account ' || source || ':' || external_id FROM canonical.account GROUP BY source, external_id HAVING count(*) > 1
UNION ALL
SELECT 'activity ' || source || ':' || external_id FROM canonical.activity GROUP BY source, external_id HAVING count(*) > 1
