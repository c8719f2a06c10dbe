-- What was done to the chunk's rows of the kind: staged, changed, newly deleted, rejected, records left out.
-- Reads staged, changed, vanished, fault, quality.unmapped. Gives one row of counts.
SELECT
  (SELECT count(*) FROM staged),
  (SELECT count(*) FROM changed),
  (SELECT count(*) FROM vanished) + (SELECT count(*) FROM changed WHERE is_deleted AND _is_known AND NOT _was_deleted),
  (SELECT count(DISTINCT _n) FROM fault WHERE severity = 'row'),
  (SELECT count(*) FROM quality.unmapped
   WHERE connection = {connection} AND entity = {entity} AND target = '{kind}' AND record_id IN (SELECT record_id FROM chunk))
