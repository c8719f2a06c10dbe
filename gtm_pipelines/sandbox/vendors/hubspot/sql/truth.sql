-- One row per record that can be served now: which person and which company it stands for (null: none).
SELECT 'contacts' AS entity, id::VARCHAR AS external_id, archived AS is_deleted, _person, _company FROM hubspot.contacts
UNION ALL SELECT 'companies', id::VARCHAR, archived, _person, _company FROM hubspot.companies
UNION ALL SELECT 'deals', id::VARCHAR, archived, _person, _company FROM hubspot.deals
UNION ALL SELECT 'calls', id::VARCHAR, archived, _person, _company FROM hubspot.calls
UNION ALL SELECT 'emails', id::VARCHAR, archived, _person, _company FROM hubspot.emails
UNION ALL SELECT 'meetings', id::VARCHAR, archived, _person, _company FROM hubspot.meetings
UNION ALL SELECT 'notes', id::VARCHAR, archived, _person, _company FROM hubspot.notes
UNION ALL SELECT 'tasks', id::VARCHAR, archived, _person, _company FROM hubspot.tasks
UNION ALL SELECT 'owners', id::VARCHAR, archived, NULL, NULL FROM hubspot.owner
UNION ALL SELECT 'associations', concat_ws(':', from_type, from_id, to_type, to_id), false, f._person, t._company
    FROM hubspot.association a
    JOIN hubspot.live f ON f.object = a.from_type AND f.id = a.from_id
    JOIN hubspot.live t ON t.object = a.to_type AND t.id = a.to_id
