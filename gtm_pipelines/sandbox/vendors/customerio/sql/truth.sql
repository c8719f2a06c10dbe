-- One row per record that can be served now: which person and which company it stands for (null: none).
SELECT 'people', cio_id, false, _person, _company FROM customerio.person
UNION ALL SELECT 'messages', id, false, _person, NULL FROM customerio.message
UNION ALL SELECT 'activities', id, false, _person, NULL FROM customerio.activity, gen.world
        WHERE timestamp <= now_s AND timestamp >= now_s - 30 * 86400
UNION ALL SELECT 'campaigns', id::VARCHAR, false, NULL, NULL FROM customerio.campaign
UNION ALL SELECT 'segments', id::VARCHAR, false, NULL, NULL FROM customerio.segment
