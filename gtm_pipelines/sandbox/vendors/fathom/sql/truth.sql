-- One row per record that can be served now; a participant is an address, however it was written.
SELECT 'meetings', recording_id::VARCHAR, false, _person, _company FROM fathom.meeting, gen.world WHERE visible_s <= now_s
UNION ALL SELECT 'transcripts', CASE part.i WHEN 1 THEN recording_id::VARCHAR ELSE concat(recording_id, ':', part.i) END, false, NULL, NULL
    FROM fathom.meeting, gen.world, range(1, 20) part(i)
    WHERE visible_s <= now_s AND transcript_s <= now_s AND part.i <= greatest(1, ceil(utterances / 2000))
UNION ALL SELECT 'participants', address, false, min(_person), NULL
    FROM (SELECT lower(email) AS address, i._person FROM fathom.invitee i JOIN fathom.meeting m USING (recording_id), gen.world
          WHERE email IS NOT NULL AND visible_s <= now_s)
    GROUP BY address
