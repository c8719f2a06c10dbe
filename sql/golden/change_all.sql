-- What is looked at when everything is: every canonical row, and every link whose canonical row is gone.
CREATE OR REPLACE TEMP TABLE match_change AS
SELECT c.source, c.external_id FROM canonical.KIND c JOIN match_run r ON r.tenant_id = c.tenant_id
UNION
SELECT source, external_id FROM golden.KIND_link;
