-- What was said of the run's records before: which were left out, and which named a row that another stands for.
DELETE FROM quality.unmapped
WHERE connection = {connection} AND entity = {entity} AND target = '{kind}' AND record_id IN (SELECT record_id FROM chunk);

DELETE FROM quality.shared_claim
WHERE connection = {connection} AND entity = {entity} AND target = '{kind}' AND record_id IN (SELECT record_id FROM chunk);
