-- One row per record that can be served now. An event has no id at the vendor: ours is the hash the connector makes of it.
SELECT 'pixel_events', sha256(to_json([pixel_id, delivr.iso(event_ms), event_type, url, visitor_id, hem])::VARCHAR), false, _person, NULL
    FROM delivr.event, gen.world WHERE hem IS NOT NULL AND arrived_ms <= now_s * 1000 AND event_ms >= (now_s - 30 * 86400) * 1000 AND event_ms < (now_s - 900) * 1000
UNION ALL SELECT DISTINCT 'visitors', p.hem, false, p._person, p._company
    FROM delivr.event e JOIN delivr.profile p USING (hem), gen.world
    WHERE arrived_ms <= now_s * 1000 AND event_ms >= (now_s - 30 * 86400) * 1000 AND event_ms < (now_s - 900) * 1000
UNION ALL SELECT DISTINCT 'intent_signals', concat(topic_id, ':', hem), false, _person, NULL
    FROM delivr.signal, gen.world WHERE occurred_s <= now_s AND occurred_s > now_s - 14 * 86400 AND topic_id IN ('4eyes_100101', '4eyes_100102')
UNION ALL SELECT 'audiences', id::VARCHAR, false, NULL, NULL FROM delivr.audience
UNION ALL SELECT 'audience_members', concat(id, ':', hem), false, _person, _company
    FROM (SELECT unnest(audiences) AS id, * FROM delivr.profile)
