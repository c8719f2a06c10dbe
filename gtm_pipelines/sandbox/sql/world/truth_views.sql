-- The ground truth as other code reads it. Ids here are the world's own and are known to no vendor.
CREATE VIEW truth.people AS
SELECT concat('person-', n) AS person_id, first_name, last_name, title, 'company-' || company AS account_id, email, personal_email, phone, mobile
FROM truth.person;

CREATE VIEW truth.accounts AS
SELECT concat('company-', n) AS account_id, name, domain, industry, employees, revenue FROM truth.company;

-- One row per record a vendor can serve now: which person and which company it stands for (null: none).
CREATE VIEW truth.records AS
WITH record AS (
    SELECT 'salesforce' AS connector, 'Contact' AS entity, Id AS external_id, IsDeleted AS is_deleted, _person, _company FROM salesforce."Contact"
    UNION ALL SELECT 'salesforce', 'Lead', Id, IsDeleted, _person, _company FROM salesforce."Lead"
    UNION ALL SELECT 'salesforce', 'Account', Id, IsDeleted, _person, _company FROM salesforce."Account"
    UNION ALL SELECT 'salesforce', 'Opportunity', Id, IsDeleted, _person, _company FROM salesforce."Opportunity"
    UNION ALL SELECT 'salesforce', 'Task', Id, IsDeleted, _person, _company FROM salesforce."Task"
    UNION ALL SELECT 'salesforce', 'Event', Id, IsDeleted, _person, _company FROM salesforce."Event"
    UNION ALL SELECT 'salesforce', 'User', Id, false, NULL, NULL FROM salesforce."User"
    UNION ALL SELECT 'salesforce', 'Subscription__c', Id, IsDeleted, _person, _company FROM salesforce."Subscription__c"
    UNION ALL SELECT 'customerio', 'people', cio_id, false, _person, _company FROM customerio.person
    UNION ALL SELECT 'customerio', 'messages', id, false, _person, NULL FROM customerio.message
    UNION ALL SELECT 'customerio', 'activities', id, false, _person, NULL FROM customerio.activity, gen.world
        WHERE timestamp <= now_s AND timestamp >= now_s - 30 * 86400
    UNION ALL SELECT 'customerio', 'campaigns', id::VARCHAR, false, NULL, NULL FROM customerio.campaign
    UNION ALL SELECT 'customerio', 'segments', id::VARCHAR, false, NULL, NULL FROM customerio.segment
    UNION ALL SELECT 'file', 'people', id, false, _person, _company FROM file.people
    UNION ALL SELECT 'file', 'accounts', id, false, NULL, _company FROM file.accounts
    UNION ALL SELECT 'file', 'activities', id, false, _person, _company FROM file.activities
)
SELECT connector, entity, external_id, is_deleted, 'person-' || _person AS person_id, 'company-' || _company AS account_id FROM record;
