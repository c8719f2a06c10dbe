-- A day at Fathom. Meetings come with newcomers and late transcripts with time alone (populate.sql); here is what people change.

-- count: action_items_completed
UPDATE fathom.action_item SET completed = true
WHERE NOT completed AND gen.chance(recording_id, gen.salted(concat('done', position)), 0.2)
  AND recording_id IN (SELECT recording_id FROM fathom.meeting WHERE created_s >= getvariable('until_s') - 10 * 86400);

-- count: meetings_renamed
UPDATE fathom.meeting SET title = concat(title, ' (call ', getvariable('step'), ')')
WHERE created_s >= getvariable('until_s') - 10 * 86400 AND gen.chance(recording_id, gen.salted('renamed'), 0.05);
