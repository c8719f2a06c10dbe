-- A day at Close. What is changed or deleted is noted in close_happened and logged at the end of the day.

CREATE OR REPLACE TEMP TABLE close_happened (action VARCHAR, object_type VARCHAR, id VARCHAR, lead_id VARCHAR, changed VARCHAR[], meta JSON, moment TIMESTAMP);

-- count: leads_changed
UPDATE close.lead SET status_label = ['Qualified', 'Customer', 'Potential'][1 + getvariable('step') % 3], date_updated = close.today(id, 'lead changes')
WHERE gen.chance(id, gen.salted('lead changes'), 0.03);
INSERT INTO close_happened
SELECT 'updated', 'lead', id, id, ['status_id'], NULL, date_updated FROM close.lead WHERE gen.chance(id, gen.salted('lead changes'), 0.03);

-- count: contacts_changed
UPDATE close.contact AS c SET title = t.title, date_updated = close.today(c.id, 'contact changes')
FROM gen.title t
WHERE t.i = gen.pick(c.id, gen.salted('new title'), getvariable('title_count')) AND gen.chance(c.id, gen.salted('contact changes'), 0.02);

-- count: contacts_moved
UPDATE close.contact AS c SET email = m.new_email, lead_id = l.id, _company = m.new_company, date_updated = close.today(c.id, 'moves')
FROM moved m JOIN close.lead l ON l.id = close.oid('lead_', m.new_company * 4)
WHERE m.n = c._person AND gen.chance(c.id, gen.salted('noticed'), 0.6);

-- One microsecond, many contacts: a bulk edit.
-- count: contacts_bulk_edited
UPDATE close.contact SET linkedin = concat('https://linkedin.example/bulk/', getvariable('step')), date_updated = gen.moment(getvariable('until_s'))
WHERE gen.chance(id, gen.salted('bulk'), getvariable('mass_rate'));
INSERT INTO close_happened
SELECT 'updated', 'contact', id, lead_id, ['title'], NULL, date_updated FROM close.contact WHERE date_updated > gen.moment(getvariable('previous_s')) AND date_created <= gen.moment(getvariable('previous_s'));

-- A lead's time moves with its contacts', without a word in the log.
UPDATE close.lead AS l SET date_updated = greatest(l.date_updated, c.moment)
FROM (SELECT lead_id, max(date_updated) AS moment FROM close.contact WHERE date_updated > gen.moment(getvariable('previous_s')) GROUP BY lead_id) c
WHERE c.lead_id = l.id;

-- count: contacts_arriving_late
UPDATE close.contact SET date_created = gen.late(id), date_updated = gen.late(id)
WHERE id IN (
    SELECT id FROM close.contact WHERE date_created > gen.moment(getvariable('previous_s'))
    ORDER BY gen.h(id, gen.salted('late')) LIMIT greatest(2, getvariable('people') // 2000)
);

-- count: opportunities_moved
UPDATE close.opportunity
SET status_label = 'Won', status_type = 'won', confidence = 100, date_won = gen.moment(getvariable('until_s'))::DATE, date_updated = close.today(id, 'won')
WHERE status_type = 'active' AND gen.chance(id, gen.salted('won'), 0.05);

-- count: activities_done
INSERT INTO close.activity
SELECT close.oid('acti_', (1::BIGINT << 38) + ('0x' || substr(id, 6, 10))::BIGINT * 512 + getvariable('step')), 'Call', lead_id, id, close.oid('user_', gen.pick(id, 'caller', 5)), 'outbound',
    NULL, NULL, gen.pick(id, gen.salted('talk'), 1800), close.today(id, 'calls'), close.today(id, 'calls'), close.today(id, 'calls')
FROM close.contact WHERE date_created <= gen.moment(getvariable('previous_s')) AND gen.chance(id, gen.salted('calls'), 0.03);

-- Notes are edited for a few days after they were written; only their own time tells.
-- count: notes_edited
UPDATE close.activity SET note = concat('Edited on day ', getvariable('step')), date_updated = close.today(id, 'edited')
WHERE type = 'Note' AND date_created > gen.moment(getvariable('previous_s') - 12 * 86400) AND date_created <= gen.moment(getvariable('previous_s'))
  AND gen.chance(id, gen.salted('edited'), 0.3);

-- Merges: the elder of two leads of one company takes over what hung on the other, which is deleted.
CREATE OR REPLACE TEMP TABLE close_merged AS
SELECT min(id) AS winner, max(id) AS loser, close.today(min(id), 'merges') AS moment FROM close.lead
WHERE _company IS NOT NULL GROUP BY _company HAVING count(*) > 1
ORDER BY gen.h(min(id), gen.salted('merge')) LIMIT greatest(1, getvariable('people') // 1000);
UPDATE close.contact AS c SET lead_id = m.winner, date_updated = m.moment FROM close_merged m WHERE c.lead_id = m.loser;
UPDATE close.opportunity AS o SET lead_id = m.winner, date_updated = m.moment FROM close_merged m WHERE o.lead_id = m.loser;
UPDATE close.activity AS a SET lead_id = m.winner FROM close_merged m WHERE a.lead_id = m.loser;
UPDATE close.lead AS l SET date_updated = greatest(l.date_updated, m.moment) FROM close_merged m WHERE l.id = m.winner;
INSERT INTO close_happened
SELECT 'merged', 'lead', winner, winner, [], json_object('merge_source_lead_id', loser, 'merge_destination_lead_id', winner), moment FROM close_merged
UNION ALL SELECT 'deleted', 'lead', loser, loser, [], json_object('request_method', 'POST'), moment FROM close_merged;

-- count: leads_merged
DELETE FROM close.lead WHERE id IN (SELECT loser FROM close_merged);

-- A deleted lead takes its children with it, and each of them is logged.
CREATE OR REPLACE TEMP TABLE close_gone AS
SELECT id AS lead_id, close.today(id, 'gone') AS moment FROM close.lead WHERE id NOT IN (SELECT winner FROM close_merged)
ORDER BY gen.h(id, gen.salted('gone')) LIMIT greatest(1, getvariable('people') // 1000);
INSERT INTO close_happened
SELECT 'deleted', 'lead', lead_id, lead_id, [], NULL, moment FROM close_gone
UNION ALL SELECT 'deleted', 'contact', c.id, c.lead_id, [], NULL, g.moment FROM close.contact c JOIN close_gone g USING (lead_id)
UNION ALL SELECT 'deleted', 'opportunity', o.id, o.lead_id, [], NULL, g.moment FROM close.opportunity o JOIN close_gone g USING (lead_id)
UNION ALL SELECT 'deleted', concat('activity.', lower(a.type)), a.id, a.lead_id, [], NULL, g.moment FROM close.activity a JOIN close_gone g USING (lead_id);
DELETE FROM close.contact WHERE lead_id IN (SELECT lead_id FROM close_gone);
DELETE FROM close.opportunity WHERE lead_id IN (SELECT lead_id FROM close_gone);
DELETE FROM close.activity WHERE lead_id IN (SELECT lead_id FROM close_gone);

-- count: leads_deleted
DELETE FROM close.lead WHERE id IN (SELECT lead_id FROM close_gone);

CREATE OR REPLACE TEMP TABLE close_dropped AS
SELECT * FROM (SELECT 'contact' AS object_type, id, lead_id FROM close.contact ORDER BY gen.h(id, gen.salted('dropped')) LIMIT greatest(1, getvariable('people') // 1000))
UNION ALL SELECT * FROM (SELECT 'opportunity', id, lead_id FROM close.opportunity ORDER BY gen.h(id, gen.salted('dropped')) LIMIT 1)
UNION ALL SELECT * FROM (SELECT concat('activity.', lower(type)), id, lead_id FROM close.activity ORDER BY gen.h(id, gen.salted('dropped')) LIMIT greatest(1, getvariable('people') // 1000));
INSERT INTO close_happened SELECT 'deleted', object_type, id, lead_id, [], NULL, close.today(id, 'dropped') FROM close_dropped;

-- count: contacts_deleted
DELETE FROM close.contact WHERE id IN (SELECT id FROM close_dropped);
DELETE FROM close.opportunity WHERE id IN (SELECT id FROM close_dropped);

-- count: activities_deleted
DELETE FROM close.activity WHERE id IN (SELECT id FROM close_dropped);

INSERT INTO close.event
SELECT concat('ev_', printf('%016x', gen.h(concat(id, action, object_type, moment), 'event'))), action, object_type, id, lead_id, changed,
    json_object('id', id), coalesce(meta, json_object('request_method', 'PUT')), moment, moment
FROM (SELECT DISTINCT * FROM close_happened);
DELETE FROM close.event WHERE date_updated < gen.moment(getvariable('until_s') - 45 * 86400);
