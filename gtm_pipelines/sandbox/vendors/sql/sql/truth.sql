-- One row per record that can be served now: which person and which company it stands for (null: none).
SELECT 'people', id::VARCHAR, deleted, _person, _company FROM sql.people
UNION ALL SELECT 'accounts', id::VARCHAR, deleted, NULL, _company FROM sql.accounts
UNION ALL SELECT 'activities', id::VARCHAR, false, _person, _company FROM sql.activities
