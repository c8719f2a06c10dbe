-- Every raw record of an entity, by what became of it. A record is missing when some kind its mapping yields has neither a
-- canonical row, nor a rejection, nor a reason to be left out. One that is rejected in part counts as quarantine.
-- Reads the raw table, the canonical tables, quality.quarantine, quality.unmapped, quality.refined_target. Gives counts.
WITH answered AS (
  SELECT DISTINCT target, record_id FROM (
    {canonical}
    UNION ALL
    SELECT target, record_id FROM quality.quarantine
    WHERE connection = {connection} AND entity = {entity} AND status = 'open' AND severity = 'row'
      AND NOT starts_with(rule, 'unreadable:')
    UNION ALL
    SELECT target, record_id FROM quality.unmapped WHERE connection = {connection} AND entity = {entity}
  )
),
wanted AS (SELECT count(*) AS kinds FROM quality.refined_target WHERE connection = {connection} AND entity = {entity}),
left_out AS (
  SELECT count(*) > 0 AS wholly FROM quality.unmapped
  WHERE connection = {connection} AND entity = {entity} AND record_id IS NULL
),
per_record AS (
  SELECT a.record_id, count(DISTINCT a.target) AS kinds
  FROM answered AS a
  JOIN quality.refined_target AS t ON t.connection = {connection} AND t.entity = {entity} AND t.target = a.target
  GROUP BY 1
),
judged AS (
  SELECT CASE
    WHEN wholly THEN 'unmapped'
    WHEN wanted.kinds = 0 OR coalesce(p.kinds, 0) < wanted.kinds THEN 'missing'
    WHEN q.record_id IS NOT NULL THEN 'quarantine'
    WHEN c.record_id IS NOT NULL THEN 'canonical'
    ELSE 'unmapped' END AS outcome
  FROM {raw} AS r
  CROSS JOIN wanted CROSS JOIN left_out
  LEFT JOIN per_record AS p ON p.record_id = r.external_id
  LEFT JOIN (
    SELECT DISTINCT record_id FROM quality.quarantine
    WHERE connection = {connection} AND entity = {entity} AND status = 'open' AND severity = 'row'
      AND NOT starts_with(rule, 'unreadable:')
  ) AS q ON q.record_id = r.external_id
  LEFT JOIN (SELECT DISTINCT record_id FROM ({canonical})) AS c ON c.record_id = r.external_id
)
SELECT count(*), count(*) FILTER (outcome = 'canonical'), count(*) FILTER (outcome = 'quarantine'),
  count(*) FILTER (outcome = 'unmapped'), count(*) FILTER (outcome = 'missing')
FROM judged
