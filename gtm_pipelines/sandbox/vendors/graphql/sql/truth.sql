-- One row per record that can be served now: which person and which company it stands for (null: none).
SELECT 'people', id, deleted_at IS NOT NULL, _person, _company FROM graphql.person
UNION ALL SELECT 'accounts', id, false, NULL, _company FROM graphql.company
UNION ALL SELECT 'activities', id, false, _person, _company FROM graphql.activity
