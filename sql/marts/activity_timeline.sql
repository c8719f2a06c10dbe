-- grain: one row per live activity, planned ones too, also of people who are deleted
-- key: source, external_id
-- owner: resolution
SELECT t.occurred_at, t.type, t.channel,
       t.person_id, nullif(concat_ws(' ', p.first_name, p.last_name), '') AS full_name, p.first_name, p.last_name, p.email,
       t.account_id, a.name AS account_name, a.domain AS account_domain,
       t.source, t.connector, t.external_id, t.properties
FROM golden.activity t
LEFT JOIN golden.person p USING (person_id)
LEFT JOIN golden.account a ON a.account_id = t.account_id
WHERE NOT t.is_deleted
