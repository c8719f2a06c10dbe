-- Bookkeeping of refinement: what was refined, what was refused, what is left out on purpose, what resolution must look at.
-- Canonical tables themselves are made from quality.canonical, the one definition of their columns.
CREATE SCHEMA IF NOT EXISTS canonical;
CREATE SCHEMA IF NOT EXISTS quality;

-- One row per failed rule per row. severity: row = no canonical row (or no new version of it), field = the field landed null.
-- status: open, resolved. record_id is the raw record's external_id and, with connection and entity, the way back to it.
CREATE TABLE IF NOT EXISTS quality.quarantine (
  connection VARCHAR NOT NULL,
  entity VARCHAR NOT NULL,
  record_id VARCHAR,
  target VARCHAR,
  external_id VARCHAR,
  field VARCHAR,
  rule VARCHAR NOT NULL,
  value VARCHAR,
  first_seen TIMESTAMPTZ NOT NULL,
  last_seen TIMESTAMPTZ NOT NULL,
  mapping_version VARCHAR,
  status VARCHAR NOT NULL DEFAULT 'open',
  severity VARCHAR NOT NULL DEFAULT 'row'
);

-- One row per record and target that is left out on purpose, or has a row that another record stands for (shared); record_id
-- null = the whole entity.
CREATE TABLE IF NOT EXISTS quality.unmapped (
  connection VARCHAR NOT NULL,
  entity VARCHAR NOT NULL,
  record_id VARCHAR,
  target VARCHAR,
  reason VARCHAR NOT NULL
);

-- One row per load of an entity that was refined with one version of its mapping.
CREATE TABLE IF NOT EXISTS quality.refined_load (
  connection VARCHAR NOT NULL,
  entity VARCHAR NOT NULL,
  load_id VARCHAR NOT NULL,
  mapping_version VARCHAR NOT NULL,
  refined_at TIMESTAMPTZ NOT NULL
);

-- One row per entity and kind its mapping produces; reconciliation expects every raw record to be answered for in each.
CREATE TABLE IF NOT EXISTS quality.refined_target (
  connection VARCHAR NOT NULL,
  entity VARCHAR NOT NULL,
  target VARCHAR NOT NULL,
  mapping_version VARCHAR NOT NULL
);

-- One row per record that names a shared canonical row which another record's version stands for, with what decides between
-- them. A record that takes the row over is no longer listed.
CREATE TABLE IF NOT EXISTS quality.shared_claim (
  connection VARCHAR NOT NULL,
  entity VARCHAR NOT NULL,
  record_id VARCHAR NOT NULL,
  target VARCHAR NOT NULL,
  external_id VARCHAR NOT NULL,
  source_updated_at TIMESTAMPTZ,
  is_deleted BOOLEAN NOT NULL
);

-- Shared canonical rows whose version may no longer be the first of its claims. Empty between refinements.
CREATE TABLE IF NOT EXISTS quality.shared_due (
  connection VARCHAR NOT NULL,
  target VARCHAR NOT NULL,
  external_id VARCHAR NOT NULL
);

-- Canonical rows that changed and that resolution has not looked at yet. Resolution deletes what it consumed.
CREATE TABLE IF NOT EXISTS canonical.pending (
  kind VARCHAR NOT NULL,
  source VARCHAR NOT NULL,
  external_id VARCHAR NOT NULL
);
