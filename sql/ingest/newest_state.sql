-- The state dlt itself would restore: the newest whose load was completed.
SELECT s.state
FROM {schema}._dlt_pipeline_state s
JOIN {schema}._dlt_loads l ON l.load_id = s._dlt_load_id
WHERE s.pipeline_name = ? AND l.status = 0
ORDER BY l.load_id DESC
LIMIT 1;
