-- A kind that the mapping no longer yields leaves nothing open behind.
-- Changes quality.quarantine, quality.unmapped.
UPDATE quality.quarantine SET status = 'resolved'
WHERE connection = {connection} AND entity = {entity} AND target = '{kind}' AND status = 'open';

DELETE FROM quality.unmapped WHERE connection = {connection} AND entity = {entity} AND target = '{kind}';
