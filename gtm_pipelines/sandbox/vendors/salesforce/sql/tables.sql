-- The objects' tables are made from catalogue.py.
-- What Salesforce remembers of records that are gone, and its refresh tokens (they outlive the server).
CREATE TABLE salesforce.deletion (object VARCHAR, id VARCHAR, deleted_at TIMESTAMP);
CREATE TABLE salesforce.refresh_token (serial BIGINT, is_used BOOLEAN, is_revoked BOOLEAN);
