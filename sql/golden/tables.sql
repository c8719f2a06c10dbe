-- Golden people, accounts and activities, and the rows by which they were decided. Owner: resolution.
--
-- person_link, account_link   one per canonical row: the golden entity it belongs to, the rule that put it there, why, since when
-- person_key, account_key     one per canonical row, rule and value: what records are compared by; rebuilt from canonical rows
-- person_identity, account_…  one per golden id ever given out: who founded it, and the id it was merged into; ids are never reused
-- person, account             one per golden entity that has records
-- activity                    one per canonical activity
-- person_rule, account_rule   one per rule of the policy in force
-- resolution                  one row: the version of the policy that golden was built with
-- What hardly repeats is compressed with zstd: the default tries out dictionaries first, which takes twice as long. An entity's
-- own id is a hash, on which compression spends four times what writing it costs and saves half the room: it is left as it is.
CREATE SCHEMA IF NOT EXISTS golden;

CREATE TABLE IF NOT EXISTS golden.resolution (policy_version VARCHAR NOT NULL, built_at TIMESTAMPTZ NOT NULL);

CREATE TABLE IF NOT EXISTS golden.person_key (
    source VARCHAR NOT NULL, external_id VARCHAR NOT NULL USING COMPRESSION zstd, rule VARCHAR NOT NULL,
    value VARCHAR NOT NULL USING COMPRESSION zstd, qualifier VARCHAR USING COMPRESSION zstd, is_loose BOOLEAN NOT NULL
);
CREATE TABLE IF NOT EXISTS golden.account_key (
    source VARCHAR NOT NULL, external_id VARCHAR NOT NULL USING COMPRESSION zstd, rule VARCHAR NOT NULL,
    value VARCHAR NOT NULL USING COMPRESSION zstd, qualifier VARCHAR USING COMPRESSION zstd, is_loose BOOLEAN NOT NULL
);

CREATE TABLE IF NOT EXISTS golden.person_link (
    source VARCHAR NOT NULL, external_id VARCHAR NOT NULL USING COMPRESSION zstd,
    person_id VARCHAR NOT NULL USING COMPRESSION uncompressed,
    rule VARCHAR NOT NULL, evidence JSON NOT NULL, confidence DOUBLE NOT NULL, since TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS golden.account_link (
    source VARCHAR NOT NULL, external_id VARCHAR NOT NULL USING COMPRESSION zstd,
    account_id VARCHAR NOT NULL USING COMPRESSION uncompressed,
    rule VARCHAR NOT NULL, evidence JSON NOT NULL, confidence DOUBLE NOT NULL, since TIMESTAMPTZ NOT NULL
);

CREATE TABLE IF NOT EXISTS golden.person_identity (
    person_id VARCHAR NOT NULL USING COMPRESSION uncompressed, source VARCHAR NOT NULL,
    external_id VARCHAR NOT NULL USING COMPRESSION zstd, ordinal INTEGER NOT NULL,
    merged_into VARCHAR, since TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS golden.account_identity (
    account_id VARCHAR NOT NULL USING COMPRESSION uncompressed, source VARCHAR NOT NULL,
    external_id VARCHAR NOT NULL USING COMPRESSION zstd, ordinal INTEGER NOT NULL,
    merged_into VARCHAR, since TIMESTAMPTZ NOT NULL
);

CREATE TABLE IF NOT EXISTS golden.person (
    person_id VARCHAR NOT NULL USING COMPRESSION uncompressed, email VARCHAR USING COMPRESSION zstd,
    first_name VARCHAR, last_name VARCHAR, title VARCHAR, phone VARCHAR USING COMPRESSION zstd,
    account_id VARCHAR, is_deleted BOOLEAN NOT NULL, sources VARCHAR[] NOT NULL, record_count INTEGER NOT NULL,
    provenance JSON NOT NULL USING COMPRESSION zstd, updated_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS golden.account (
    account_id VARCHAR NOT NULL USING COMPRESSION uncompressed, name VARCHAR,
    domain VARCHAR USING COMPRESSION zstd, industry VARCHAR, employee_count BIGINT, annual_revenue DOUBLE,
    is_deleted BOOLEAN NOT NULL, sources VARCHAR[] NOT NULL, record_count INTEGER NOT NULL,
    provenance JSON NOT NULL USING COMPRESSION zstd, updated_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE IF NOT EXISTS golden.activity (
    source VARCHAR NOT NULL, external_id VARCHAR NOT NULL, connector VARCHAR NOT NULL, type VARCHAR, channel VARCHAR,
    occurred_at TIMESTAMPTZ, person_id VARCHAR, account_id VARCHAR, properties JSON, is_deleted BOOLEAN NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
