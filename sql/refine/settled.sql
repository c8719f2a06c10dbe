-- Ends an entity's refinement: marks the loads as refined, and forgets which kinds its mapping yielded before.
-- Reads load_due. Changes quality.refined_load, quality.refined_target.
DELETE FROM quality.refined_load WHERE connection = {connection} AND entity = {entity} AND mapping_version <> {version};

INSERT INTO quality.refined_load (connection, entity, load_id, mapping_version, refined_at)
SELECT {connection}, {entity}, load_id, {version}, {now} FROM load_due
WHERE load_id NOT IN (SELECT load_id FROM quality.refined_load WHERE connection = {connection} AND entity = {entity});

DELETE FROM quality.refined_target WHERE connection = {connection} AND entity = {entity};
