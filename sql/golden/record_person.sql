-- match_record: the picked canonical people, numbered in key order, with the golden account they belong to: the one their
-- record states, else the one that owns their mail domain. Rows of a foreign tenant are never picked up.
CREATE OR REPLACE TEMP TABLE match_record AS
WITH picked AS MATERIALIZED (
    SELECT c.source, c.external_id, MAIL_DOMAIN AS host, c.rowid AS place
    FROM canonical.person c
    JOIN match_run r ON r.tenant_id = c.tenant_id
    SEMI JOIN match_pick p ON p.source = c.source AND p.external_id = c.external_id
),
hosted AS (
    SELECT h.host, coalesce(whole.account_id, parent.account_id, grandparent.account_id) AS account_id
    FROM (SELECT DISTINCT host FROM picked WHERE host IS NOT NULL) h
    LEFT JOIN match_domain whole ON whole.domain = h.host
    LEFT JOIN match_domain parent ON parent.domain = regexp_replace(h.host, '^[^.]+\.', '')
    LEFT JOIN match_domain grandparent ON grandparent.domain = regexp_replace(h.host, '^[^.]+\.[^.]+\.', '')
),
numbered AS (
    SELECT row_number() OVER (ORDER BY source, external_id) AS node, host, place FROM picked
)
SELECT k.node, c.source, c.connector, c.external_id, c.source_updated_at,
       c.is_deleted, c.email, c.first_name, c.last_name, c.title, c.phone, c._merged_into, c._references,
       coalesce(stated.account_id, hosted.account_id) AS account_id, stated.account_id IS NULL AS is_inferred
FROM canonical.person c
JOIN numbered k ON k.place = c.rowid
LEFT JOIN golden.account_link stated ON stated.source = c.source AND stated.external_id = c.account_external_id
LEFT JOIN hosted ON hosted.host = k.host;
