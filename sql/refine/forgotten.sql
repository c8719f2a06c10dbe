-- Forgets what was said of the chunk's records before: which were left out, and which named a row that another stands for.
-- Reads chunk. Changes quality.unmapped, quality.shared_claim.
DELETE FROM quality.unmapped
WHERE connection = {connection} AND entity = {entity} AND target = '{kind}' AND record_id IN (SELECT record_id FROM chunk);

DELETE FROM quality.shared_claim
WHERE connection = {connection} AND entity = {entity} AND target = '{kind}' AND record_id IN (SELECT record_id FROM chunk);
