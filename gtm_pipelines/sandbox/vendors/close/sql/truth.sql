-- One row per record that can be served now: which person and which company it stands for (null: none).
SELECT 'leads', id, false, NULL, _company FROM close.lead
UNION ALL SELECT 'contacts', id, false, _person, _company FROM close.contact
UNION ALL SELECT 'opportunities', id, false, NULL, NULL FROM close.opportunity
UNION ALL SELECT 'activities', id, false, NULL, NULL FROM close.activity
UNION ALL SELECT 'users', id, false, NULL, NULL FROM close.user
UNION ALL SELECT 'lead_fields', id, false, NULL, NULL FROM close.custom_field WHERE object_type IN ('lead', 'shared')
UNION ALL SELECT 'contact_fields', id, false, NULL, NULL FROM close.custom_field WHERE object_type IN ('contact', 'shared')
UNION ALL SELECT 'opportunity_fields', id, false, NULL, NULL FROM close.custom_field WHERE object_type = 'opportunity'
