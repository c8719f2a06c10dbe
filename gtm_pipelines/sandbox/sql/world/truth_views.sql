-- The ground truth as other code reads it. Ids here are the world's own and are known to no vendor.
CREATE VIEW truth.people AS
SELECT concat('person-', n) AS person_id, first_name, last_name, title, 'company-' || company AS account_id, email, personal_email, phone, mobile
FROM truth.person;

CREATE VIEW truth.accounts AS
SELECT concat('company-', n) AS account_id, name, domain, industry, employees, revenue FROM truth.company;
