-- One row per external_id of the batch: where its newest version stands, and where its newest payload stands.
-- A tombstone without a time is an observation of now, so it is newest; between equal times the later arrival is.
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT
  external_id,
  arg_max(_position, (_bare AND source_updated_at IS NULL, coalesce(source_updated_at, '-infinity'), _position)) AS newest,
  arg_max(_position, (coalesce(source_updated_at, '-infinity'), _position)) FILTER (NOT _bare) AS described
FROM read_parquet({batch})
GROUP BY external_id;
