-- The world's own tables. Salesforce's tables are made from salesforce/catalogue.py.
CREATE TABLE gen.world (seed BIGINT, size BIGINT, people BIGINT, companies BIGINT, users BIGINT, step INTEGER, now_s BIGINT);
CREATE TABLE gen.first_name (i BIGINT, name VARCHAR, nickname VARCHAR);
CREATE TABLE gen.last_name (i BIGINT, name VARCHAR);
CREATE TABLE gen.company_first (i BIGINT, word VARCHAR);
CREATE TABLE gen.company_second (i BIGINT, word VARCHAR);
CREATE TABLE gen.trade (i BIGINT, word VARCHAR, industry VARCHAR);
CREATE TABLE gen.title (i BIGINT, title VARCHAR);
CREATE TABLE gen.city (i BIGINT, city VARCHAR, country VARCHAR);
CREATE TABLE gen.area_code (i BIGINT, code VARCHAR);
CREATE TABLE gen.free_mail (i BIGINT, domain VARCHAR);

-- Who there really is. A person without a company works for herself.
CREATE TABLE truth.company (
    n BIGINT, name VARCHAR, domain VARCHAR, industry VARCHAR, employees BIGINT, revenue DOUBLE,
    city VARCHAR, country VARCHAR, switchboard VARCHAR, born_s BIGINT
);
CREATE TABLE truth.person (
    n BIGINT, first_name VARCHAR, nickname VARCHAR, last_name VARCHAR, title VARCHAR,
    company BIGINT, email VARCHAR, email_base VARCHAR, personal_email VARCHAR, phone VARCHAR, mobile VARCHAR,
    previous_company BIGINT, previous_email VARCHAR, born_s BIGINT, altered_s BIGINT
);

-- What Salesforce remembers of records that are gone, and its refresh tokens (they outlive the server).
CREATE TABLE salesforce.deletion (object VARCHAR, id VARCHAR, deleted_at TIMESTAMP);
CREATE TABLE salesforce.refresh_token (serial BIGINT, is_used BOOLEAN, is_revoked BOOLEAN);

-- Customer.io. Metrics are moments; those after the world's present have not happened yet and are not served.
CREATE TABLE customerio.person (
    cio_id VARCHAR, id VARCHAR, email VARCHAR, first_name VARCHAR, last_name VARCHAR, title VARCHAR, phone VARCHAR,
    company VARCHAR, plan VARCHAR, city VARCHAR, unsubscribed BOOLEAN, created_s BIGINT, updated_s BIGINT,
    _person BIGINT, _company BIGINT
);
CREATE TABLE customerio.message (
    id VARCHAR, cio_id VARCHAR, campaign_id BIGINT, newsletter_id BIGINT, action_id BIGINT, type VARCHAR, subject VARCHAR,
    recipient VARCHAR, created BIGINT, sent BIGINT, delivered BIGINT, opened BIGINT, clicked BIGINT, converted BIGINT,
    bounced BIGINT, failure_message VARCHAR, forgotten BOOLEAN, _person BIGINT
);
CREATE TABLE customerio.activity (
    id VARCHAR, type VARCHAR, timestamp BIGINT, cio_id VARCHAR, name VARCHAR, delivery_id VARCHAR, delivery_type VARCHAR,
    url VARCHAR, data JSON, _person BIGINT
);
CREATE TABLE customerio.campaign (
    id BIGINT, name VARCHAR, state VARCHAR, type VARCHAR, created BIGINT, updated BIGINT, first_started BIGINT, tags VARCHAR[]
);
CREATE TABLE customerio.newsletter (id BIGINT, name VARCHAR, type VARCHAR, created BIGINT, updated BIGINT, sent_at BIGINT);
CREATE TABLE customerio.segment (
    id BIGINT, name VARCHAR, description VARCHAR, state VARCHAR, type VARCHAR, tags VARCHAR[], created_at BIGINT,
    updated_at BIGINT
);
