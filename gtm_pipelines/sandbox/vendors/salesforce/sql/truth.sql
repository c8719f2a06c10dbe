-- One row per record that can be served now: which person and which company it stands for (null: none).
SELECT 'Contact' AS entity, Id AS external_id, IsDeleted AS is_deleted, _person, _company FROM salesforce."Contact"
UNION ALL SELECT 'Lead', Id, IsDeleted, _person, _company FROM salesforce."Lead"
UNION ALL SELECT 'Account', Id, IsDeleted, _person, _company FROM salesforce."Account"
UNION ALL SELECT 'Opportunity', Id, IsDeleted, _person, _company FROM salesforce."Opportunity"
UNION ALL SELECT 'Task', Id, IsDeleted, _person, _company FROM salesforce."Task"
UNION ALL SELECT 'Event', Id, IsDeleted, _person, _company FROM salesforce."Event"
UNION ALL SELECT 'User', Id, false, NULL, NULL FROM salesforce."User"
UNION ALL SELECT 'Subscription__c', Id, IsDeleted, _person, _company FROM salesforce."Subscription__c"
