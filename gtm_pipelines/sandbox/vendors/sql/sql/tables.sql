-- What a back office keeps in its database. People and accounts are marked deleted, activities are deleted.
CREATE TABLE sql.accounts (
    id BIGINT, name VARCHAR, domain VARCHAR, industry VARCHAR, employees BIGINT, revenue DECIMAL(18, 2), updated_at TIMESTAMP,
    deleted BOOLEAN, _company BIGINT
);
CREATE TABLE sql.people (
    id BIGINT, email VARCHAR, first_name VARCHAR, last_name VARCHAR, title VARCHAR, phone VARCHAR, account_id BIGINT,
    score DECIMAL(9, 4), updated_at TIMESTAMP, deleted BOOLEAN, _person BIGINT, _company BIGINT
);
CREATE TABLE sql.activities (
    id BIGINT, type VARCHAR, channel VARCHAR, occurred_at TIMESTAMP, person_id BIGINT, account_id BIGINT, subject VARCHAR,
    updated_at TIMESTAMP, _person BIGINT, _company BIGINT
);
