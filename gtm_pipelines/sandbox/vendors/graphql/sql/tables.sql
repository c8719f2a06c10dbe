-- A product's own database of its customers. People are marked deleted; a company that goes is gone.
CREATE TABLE graphql.company (
    id VARCHAR, name VARCHAR, website VARCHAR, industry VARCHAR, employees BIGINT, revenue DOUBLE,
    created_at TIMESTAMP, updated_at TIMESTAMP, _company BIGINT
);
CREATE TABLE graphql.person (
    id VARCHAR, email VARCHAR, first_name VARCHAR, last_name VARCHAR, job_title VARCHAR, phone VARCHAR, company_id VARCHAR,
    created_at TIMESTAMP, updated_at TIMESTAMP, deleted_at TIMESTAMP, _person BIGINT, _company BIGINT
);
CREATE TABLE graphql.activity (
    id VARCHAR, kind VARCHAR, channel VARCHAR, subject VARCHAR, occurred_at TIMESTAMP, updated_at TIMESTAMP,
    person_id VARCHAR, company_id VARCHAR, _person BIGINT, _company BIGINT
);
