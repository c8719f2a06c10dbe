-- match_record: the picked canonical accounts, numbered in key order. Rows of a foreign tenant are never picked up.
CREATE OR REPLACE TEMP TABLE match_record AS
SELECT row_number() OVER (ORDER BY c.source, c.external_id) AS node, c.source, c.connector, c.external_id, c.source_updated_at,
       c.is_deleted, c.name, c.domain, c.industry, c.employee_count, c.annual_revenue, c._merged_into, c._references,
       0::TINYINT AS basis
FROM canonical.account c
JOIN match_run r ON r.tenant_id = c.tenant_id
SEMI JOIN match_pick p ON p.source = c.source AND p.external_id = c.external_id;
