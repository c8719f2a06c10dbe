-- For every position of the batch in order: is it a row to load as it stands? Tombstones are not: they need a payload.
SELECT coalesce(v.verdict IN ('created', 'updated', 'deleted') AND NOT v.is_bare, false) AS keep
FROM range({first}, {end}) p
LEFT JOIN verdict v ON v.newest = p.range
ORDER BY p.range;
