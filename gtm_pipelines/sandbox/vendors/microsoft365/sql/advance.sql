-- A day in the mailboxes; what is new stands in populate.sql.
CREATE OR REPLACE TEMP TABLE ahead AS
SELECT ical_uid, min(hash) AS hash FROM microsoft365.event
WHERE kind = 'singleInstance' AND NOT is_removed AND NOT is_cancelled AND start_s > getvariable('until_s') AND len(people) > 0 AND was_start_s IS NULL
GROUP BY ical_uid;

-- count: meetings_moved
UPDATE microsoft365.event AS e
SET was_start_s = start_s, start_s = start_s + 86400, end_s = end_s + 86400, last_end_s = last_end_s + 86400,
    modified_s = gen.today_s(e.ical_uid, 'moved'), changed_step = getvariable('step')
WHERE ical_uid IN (SELECT ical_uid FROM ahead ORDER BY gen.h(hash, gen.salted('moved')) LIMIT greatest(1, (SELECT count(*) // 20 FROM ahead)));

-- Beyond any window that is read: a delta says that it was removed, which it was not.
-- count: meetings_moved_away
UPDATE microsoft365.event AS e
SET was_start_s = start_s, start_s = start_s + 400 * 86400, end_s = end_s + 400 * 86400, last_end_s = last_end_s + 400 * 86400,
    modified_s = gen.today_s(e.ical_uid, 'moved'), changed_step = getvariable('step')
WHERE ical_uid IN (SELECT ical_uid FROM ahead ORDER BY gen.h(hash, gen.salted('moved')) DESC LIMIT 1);

-- count: meetings_cancelled
UPDATE microsoft365.event AS e
SET is_cancelled = true, modified_s = gen.today_s(e.ical_uid, 'cancelled'), changed_step = getvariable('step')
WHERE ical_uid IN (SELECT ical_uid FROM ahead ORDER BY gen.h(hash, gen.salted('cancelled')) LIMIT 1);

-- One of the copies goes; that of a colleague may stay.
-- count: meetings_removed
UPDATE microsoft365.event AS e
SET is_removed = true, modified_s = gen.today_s(e.serial, 'removed'), changed_step = getvariable('step')
WHERE kind = 'singleInstance' AND NOT is_removed AND len(people) > 0 AND was_start_s IS NULL
  AND serial IN (SELECT serial FROM microsoft365.event WHERE kind = 'singleInstance' AND NOT is_removed AND len(people) > 0 AND was_start_s IS NULL
      ORDER BY gen.h(serial, gen.salted('removed')) LIMIT 2);

-- count: people_invited
UPDATE microsoft365.event AS e
SET people = list_append(people, {'name': p.first_name || ' ' || p.last_name, 'address': p.email, 'n': p.n}),
    modified_s = gen.today_s(e.ical_uid, 'invited'), changed_step = getvariable('step')
FROM truth.person p
WHERE p.n = gen.pick(e.ical_uid, gen.salted('guest'), getvariable('people')) AND NOT is_removed AND len(people) BETWEEN 1 AND 5
  AND ical_uid IN (SELECT ical_uid FROM microsoft365.event WHERE kind <> 'occurrence' AND len(people) > 0
      GROUP BY ical_uid ORDER BY gen.h(ical_uid, gen.salted('invited')) LIMIT 3);

-- One day of a series is put off: an occurrence becomes an exception, with all that an event has.
-- count: occurrences_moved
UPDATE microsoft365.event AS e
SET kind = 'exception', start_s = start_s + 3600, end_s = end_s + 3600, last_end_s = last_end_s + 3600,
    modified_s = gen.today_s(e.hash, 'put off'), changed_step = getvariable('step')
WHERE kind = 'occurrence' AND NOT is_removed AND serial IN (SELECT serial FROM microsoft365.event WHERE kind = 'occurrence' AND NOT is_removed
      ORDER BY gen.h(serial, gen.salted('put off')) LIMIT 1);

-- count: mails_removed
UPDATE microsoft365.message
SET is_removed = true, modified_s = gen.today_s(serial, 'removed'), changed_step = getvariable('step')
WHERE serial IN (SELECT serial FROM microsoft365.message WHERE NOT is_removed AND _person IS NOT NULL ORDER BY gen.h(serial, gen.salted('removed'))
    LIMIT greatest(2, (SELECT count(*) // 500 FROM microsoft365.message)));

-- count: mails_archived
UPDATE microsoft365.message
SET was_in = folder, folder = 'archive', modified_s = gen.today_s(serial, 'archived'), changed_step = getvariable('step')
WHERE serial IN (SELECT serial FROM microsoft365.message WHERE NOT is_removed AND folder = 'inbox' AND _person IS NOT NULL
    ORDER BY gen.h(serial, gen.salted('archived')) LIMIT greatest(2, (SELECT count(*) // 200 FROM microsoft365.message)));

-- count: mails_read
UPDATE microsoft365.message
SET modified_s = gen.today_s(serial, 'read'), changed_step = getvariable('step')
WHERE NOT is_removed AND folder = 'inbox' AND gen.chance(serial, gen.salted('read'), 0.02);

-- count: staff_retitled
UPDATE microsoft365.account SET title = concat('Account Executive, ', getvariable('step')), changed_step = getvariable('step')
WHERE kind = 'member' AND n = 1 + getvariable('step') % 4;

-- count: staff_left
UPDATE microsoft365.account SET is_deleted = true, is_enabled = false, changed_step = getvariable('step')
WHERE n = 1000 + getvariable('step') - 2;

-- count: staff_hired
INSERT INTO microsoft365.account
SELECT 1000 + getvariable('step'), microsoft365.guid(1000 + getvariable('step'), 'account'), concat('user', 1000 + getvariable('step'), '@seller.example'),
    concat('newcomer', getvariable('step'), '@seller.example'), 'New', concat('Comer', getvariable('step')), 'Trainee', NULL, NULL,
    'member', true, false, getvariable('until_s'), getvariable('step');
