-- The objects' tables are made from catalogue.py. An association is stored once, from the object that names the other:
-- deals and activities name contacts and companies, contacts name companies. Both directions are served.
CREATE TABLE hubspot.association (from_type VARCHAR, from_id BIGINT, to_type VARCHAR, to_id BIGINT, is_primary BOOLEAN);
CREATE TABLE hubspot.merged (object VARCHAR, loser BIGINT, winner BIGINT, _person BIGINT, _company BIGINT);
CREATE TABLE hubspot.owner (
    id BIGINT, email VARCHAR, first_name VARCHAR, last_name VARCHAR, user_id BIGINT, created_ms BIGINT, updated_ms BIGINT, archived BOOLEAN
);

-- HubSpot's times have milliseconds; none is later than the present.
CREATE MACRO hubspot.ms(seconds, n) AS least(seconds * 1000 + gen.pick(n, 'ms', 1000), getvariable('until_s')::BIGINT * 1000);
CREATE MACRO hubspot.today_ms(n, salt) AS hubspot.ms(gen.today_s(n, salt), n);
CREATE MACRO hubspot.owner_of(n, salt) AS (70000001 + gen.pick(n, salt, getvariable('users')))::VARCHAR;

CREATE VIEW hubspot.live AS
SELECT 'contacts' AS object, id, _person, _company FROM hubspot.contacts WHERE NOT archived
UNION ALL SELECT 'companies', id, _person, _company FROM hubspot.companies WHERE NOT archived
UNION ALL SELECT 'deals', id, _person, _company FROM hubspot.deals WHERE NOT archived
UNION ALL SELECT 'calls', id, _person, _company FROM hubspot.calls WHERE NOT archived
UNION ALL SELECT 'emails', id, _person, _company FROM hubspot.emails WHERE NOT archived
UNION ALL SELECT 'meetings', id, _person, _company FROM hubspot.meetings WHERE NOT archived
UNION ALL SELECT 'notes', id, _person, _company FROM hubspot.notes WHERE NOT archived
UNION ALL SELECT 'tasks', id, _person, _company FROM hubspot.tasks WHERE NOT archived;
