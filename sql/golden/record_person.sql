-- match_record: the picked canonical people, numbered in key order, with the golden account they belong to and its basis: the
-- one their record states (0), else the one that owns their mail domain (1), else the one of their employer's name (2). Rows of
-- a foreign tenant are never picked up.
CREATE OR REPLACE TEMP TABLE match_record AS
WITH picked AS MATERIALIZED (
    SELECT c.source, c.external_id, MAIL_DOMAIN AS host, c.rowid AS place
    FROM canonical.person c
    JOIN match_run r ON r.tenant_id = c.tenant_id
    SEMI JOIN match_pick p ON p.source = c.source AND p.external_id = c.external_id
),
domain AS (SELECT value, account_id FROM match_home WHERE rule = 'domain'),
hosted AS (
    SELECT h.host, coalesce(whole.account_id, parent.account_id, grandparent.account_id) AS account_id
    FROM (SELECT DISTINCT host FROM picked WHERE host IS NOT NULL) h
    LEFT JOIN domain whole ON whole.value = h.host
    LEFT JOIN domain parent ON parent.value = regexp_replace(h.host, '^[^.]+\.', '')
    LEFT JOIN domain grandparent ON grandparent.value = regexp_replace(h.host, '^[^.]+\.[^.]+\.', '')
),
employed AS MATERIALIZED (
    SELECT c.rowid AS place, EMPLOYER_NAME AS employer
    FROM canonical.person c JOIN picked p ON p.place = c.rowid
    WHERE STATES_EMPLOYER
),
named AS (SELECT e.place, h.account_id FROM employed e JOIN match_home h ON h.rule = 'name' AND h.value = e.employer),
numbered AS (
    SELECT row_number() OVER (ORDER BY source, external_id) AS node, host, place FROM picked
)
SELECT k.node, c.source, c.connector, c.external_id, c.source_updated_at,
       c.is_deleted, c.email, c.first_name, c.last_name, c.title, c.phone, c._merged_into, c._references,
       e.employer, coalesce(stated.account_id, hosted.account_id, named.account_id) AS account_id,
       CAST(stated.account_id IS NULL AS TINYINT) + CAST(coalesce(stated.account_id, hosted.account_id) IS NULL AS TINYINT) AS basis
FROM canonical.person c
JOIN numbered k ON k.place = c.rowid
LEFT JOIN golden.account_link stated ON stated.source = c.source AND stated.external_id = c.account_external_id
LEFT JOIN hosted ON hosted.host = k.host
LEFT JOIN employed e ON e.place = k.place
LEFT JOIN named ON named.place = k.place;
