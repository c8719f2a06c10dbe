-- Close. What is deleted leaves its table; only the event log remembers it.
CREATE TABLE close.user (id VARCHAR, n BIGINT, first_name VARCHAR, last_name VARCHAR, email VARCHAR, date_created TIMESTAMP, date_updated TIMESTAMP);
CREATE TABLE close.custom_field (id VARCHAR, object_type VARCHAR, name VARCHAR, type VARCHAR, date_created TIMESTAMP, date_updated TIMESTAMP);
CREATE TABLE close.lead (
    id VARCHAR, name VARCHAR, url VARCHAR, description VARCHAR, status_label VARCHAR, industry VARCHAR, employees BIGINT, city VARCHAR,
    country VARCHAR, date_created TIMESTAMP, date_updated TIMESTAMP, _person BIGINT, _company BIGINT
);
CREATE TABLE close.contact (
    id VARCHAR, lead_id VARCHAR, name VARCHAR, title VARCHAR, email VARCHAR, second_email VARCHAR, phone VARCHAR, linkedin VARCHAR,
    date_created TIMESTAMP, date_updated TIMESTAMP, _person BIGINT, _company BIGINT
);
CREATE TABLE close.opportunity (
    id VARCHAR, lead_id VARCHAR, contact_id VARCHAR, user_id VARCHAR, status_label VARCHAR, status_type VARCHAR, value BIGINT,
    value_period VARCHAR, confidence BIGINT, date_won DATE, date_created TIMESTAMP, date_updated TIMESTAMP
);
CREATE TABLE close.activity (
    id VARCHAR, type VARCHAR, lead_id VARCHAR, contact_id VARCHAR, user_id VARCHAR, direction VARCHAR, subject VARCHAR, note VARCHAR,
    duration BIGINT, date_created TIMESTAMP, date_updated TIMESTAMP, activity_at TIMESTAMP
);
CREATE TABLE close.event (
    id VARCHAR, action VARCHAR, object_type VARCHAR, object_id VARCHAR, lead_id VARCHAR, changed_fields VARCHAR[], data JSON, meta JSON,
    date_created TIMESTAMP, date_updated TIMESTAMP
);

-- Ids, moments to the microsecond, and how they are written.
CREATE MACRO close.oid(prefix, serial) AS concat(prefix, printf('%010x', (serial)::BIGINT), printf('%016x', gen.h(serial, prefix)));
CREATE MACRO close.at(seconds, n, salt) AS make_timestamp((seconds)::BIGINT * 1000000 + gen.pick(n, salt, 1000000));
CREATE MACRO close.today(n, salt) AS close.at(gen.today_s(n, salt), n, gen.salted(salt));
CREATE MACRO close.iso(moment) AS strftime(moment, '%Y-%m-%dT%H:%M:%S.%f+00:00');
CREATE MACRO close.organization() AS 'orga_sandbox';
CREATE MACRO close.stat(label) AS concat('stat_', gen.slug(label));
CREATE MACRO close.cf(name) AS concat('cf_', gen.slug(name));
CREATE MACRO close.found_by(id) AS CASE WHEN gen.chance(id, 'found by', 0.3) THEN 'Webinar' END;

-- A row as the API writes it.
CREATE MACRO close.user_json(r) AS json_object(
    'id', r.id, 'email', r.email, 'first_name', r.first_name, 'last_name', r.last_name, 'organizations', [close.organization()],
    'date_created', close.iso(r.date_created), 'date_updated', close.iso(r.date_updated));
CREATE MACRO close.custom_field_json(r) AS json_object(
    'id', r.id, 'name', r.name, 'type', r.type, 'description', NULL, 'accepts_multiple_values', false, 'choices', NULL,
    'associations', CASE r.object_type WHEN 'shared' THEN [json_object('object_type', 'lead'), json_object('object_type', 'contact')] END,
    'organization_id', close.organization(), 'date_created', close.iso(r.date_created), 'date_updated', close.iso(r.date_updated));
CREATE MACRO close.lead_json(r) AS json_object(
    'id', r.id, 'name', r.name, 'display_name', coalesce(r.name, '(unnamed lead)'), 'url', r.url, 'description', r.description,
    'status_id', close.stat(r.status_label), 'status_label', r.status_label,
    'addresses', [json_object('city', r.city, 'country', r.country, 'label', 'business')],
    'custom.cf_industry', r.industry, 'custom.cf_employees', r.employees, 'custom.cf_source', close.found_by(r.id), 'organization_id', close.organization(),
    'created_by', NULL, 'updated_by', NULL, 'date_created', close.iso(r.date_created), 'date_updated', close.iso(r.date_updated));
CREATE MACRO close.contact_json(r) AS json_object(
    'id', r.id, 'lead_id', r.lead_id, 'name', r.name, 'display_name', coalesce(r.name, r.email, ''), 'title', r.title,
    'emails', list_filter([CASE WHEN r.email IS NOT NULL THEN json_object('type', 'office', 'email', r.email, 'is_unsubscribed', false) END,
        CASE WHEN r.second_email IS NOT NULL THEN json_object('type', 'home', 'email', r.second_email, 'is_unsubscribed', false) END], lambda x: x IS NOT NULL),
    'phones', list_filter([CASE WHEN r.phone IS NOT NULL THEN json_object('type', 'office', 'phone', r.phone, 'phone_formatted', r.phone) END], lambda x: x IS NOT NULL),
    'urls', [], 'custom.cf_linkedin', r.linkedin, 'custom.cf_source', close.found_by(r.id), 'organization_id', close.organization(), 'created_by', NULL, 'updated_by', NULL,
    'date_created', close.iso(r.date_created), 'date_updated', close.iso(r.date_updated));
CREATE MACRO close.opportunity_json(r) AS json_object(
    'id', r.id, 'lead_id', r.lead_id, 'contact_id', r.contact_id, 'user_id', r.user_id, 'status_id', close.stat(r.status_label),
    'status_label', r.status_label, 'status_type', r.status_type, 'value', r.value, 'value_currency', 'USD', 'value_period', r.value_period,
    'confidence', r.confidence, 'note', NULL, 'date_won', r.date_won::VARCHAR, 'organization_id', close.organization(),
    'date_created', close.iso(r.date_created), 'date_updated', close.iso(r.date_updated));
-- A meeting names its people as attendees and nowhere else, and its subject a title.
CREATE MACRO close.activity_json(r) AS json_object(
    'id', r.id, '_type', r.type, 'lead_id', r.lead_id, 'contact_id', CASE WHEN r.type <> 'Meeting' THEN r.contact_id END, 'user_id', r.user_id,
    'users', [r.user_id], 'attendees', CASE r.type WHEN 'Meeting' THEN [
        json_object('contact_id', NULL, 'user_id', r.user_id, 'status', 'yes', 'is_organizer', true),
        json_object('contact_id', r.contact_id, 'user_id', NULL, 'status', 'noreply', 'is_organizer', false)] END,
    'title', CASE r.type WHEN 'Meeting' THEN r.subject END, 'status', CASE r.type WHEN 'Meeting' THEN 'completed' WHEN 'Email' THEN 'sent' END,
    'direction', r.direction, 'subject', CASE WHEN r.type <> 'Meeting' THEN r.subject END, 'note', r.note, 'duration', r.duration, 'activity_at', close.iso(r.activity_at),
    'organization_id', close.organization(), 'date_created', close.iso(r.date_created), 'date_updated', close.iso(r.date_updated));
CREATE MACRO close.event_json(r) AS json_object(
    'id', r.id, 'action', r.action, 'object_type', r.object_type, 'object_id', r.object_id, 'lead_id', r.lead_id,
    'changed_fields', r.changed_fields, 'data', r.data, 'previous_data', json_object(), 'meta', r.meta, 'user_id', NULL, 'request_id', NULL,
    'api_key_id', NULL, 'organization_id', close.organization(), 'date_created', close.iso(r.date_created), 'date_updated', close.iso(r.date_updated));
