-- One row per record that can be served now: which person and which company it stands for (null: none).
SELECT 'people', id, false, _person, _company FROM file.people
UNION ALL SELECT 'accounts', id, false, NULL, _company FROM file.accounts
UNION ALL SELECT 'activities', id, false, _person, _company FROM file.activities
