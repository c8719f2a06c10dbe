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
