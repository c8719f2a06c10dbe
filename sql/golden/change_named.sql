-- Records that a changed record refers to carry a key of their own from now on: they join the change.
INSERT INTO match_change
SELECT DISTINCT c.source, c.external_id
FROM (
    SELECT source, external_id, unnest([
        {'rule': 'merged', 'value': source || ':' || external_id},
        {'rule': 'reference', 'value': connector || ':' || external_id},
        {'rule': 'reference', 'value': source || '=' || connector || ':' || external_id}
    ]) AS name
    FROM canonical.KIND JOIN match_run USING (tenant_id)
) c
SEMI JOIN match_named n ON n.rule = c.name.rule AND n.value = c.name.value
ANTI JOIN match_change x ON x.source = c.source AND x.external_id = c.external_id;
