-- Shared rows to look at again: their version is gone or weaker than it was, and other records name them.
-- Reads quality.shared_claim. Adds to quality.shared_due.
INSERT INTO quality.shared_due (connection, target, external_id)
SELECT {connection}, '{kind}', external_id
FROM ({weaker}) AS w
WHERE EXISTS (
  SELECT 1 FROM quality.shared_claim AS s
  WHERE s.connection = {connection} AND s.target = '{kind}' AND s.external_id = w.external_id
)
EXCEPT
SELECT connection, target, external_id FROM quality.shared_due;
