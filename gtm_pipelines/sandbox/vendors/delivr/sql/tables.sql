-- Delivr.ai. An event has a moment, and a moment from which it is served: some arrive late. hem is sha256 of an address.
CREATE TABLE delivr.profile (
    hem VARCHAR, email VARCHAR, first_name VARCHAR, last_name VARCHAR, job_title VARCHAR, company_name VARCHAR,
    company_domain VARCHAR, audiences BIGINT[], _person BIGINT, _company BIGINT
);
CREATE TABLE delivr.event (
    serial VARCHAR, event_ms BIGINT, arrived_ms BIGINT, pixel_id VARCHAR, event_type VARCHAR, url VARCHAR,
    session_id VARCHAR, visitor_id VARCHAR, hem VARCHAR, _person BIGINT
);
-- Reading beyond the own site: what the intent scores are made of, and what the older API serves one by one.
CREATE TABLE delivr.signal (
    id VARCHAR, occurred_s BIGINT, topic_id VARCHAR, url VARCHAR, dwell_s BIGINT, session_id VARCHAR, hem VARCHAR, _person BIGINT
);
CREATE TABLE delivr.topic (topic_id VARCHAR, name VARCHAR, category_name VARCHAR);
CREATE TABLE delivr.audience (
    id BIGINT, audience_name VARCHAR, type VARCHAR, segmentation_type VARCHAR, status VARCHAR, created_s BIGINT, built_s BIGINT
);
CREATE MACRO delivr.iso(ms) AS strftime(make_timestamp((ms)::BIGINT * 1000), '%Y-%m-%dT%H:%M:%S.%gZ');
