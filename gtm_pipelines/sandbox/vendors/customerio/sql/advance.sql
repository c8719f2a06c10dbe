-- A day at Customer.io. Every change of a profile leaves an activity; the rest of the day's log is in world/customerio.sql.

CREATE OR REPLACE TEMP TABLE altered (cio_id VARCHAR, what VARCHAR, at_s BIGINT, data JSON, person BIGINT);

-- count: profiles_changed
INSERT INTO altered
SELECT cio_id, 'attribute_change', gen.today_s(cio_id, 'profile'), json_object('plan', CASE plan WHEN 'business' THEN 'team' ELSE 'business' END), _person
FROM customerio.person WHERE gen.chance(cio_id, gen.salted('profile'), 0.01);
UPDATE customerio.person AS p SET plan = CASE plan WHEN 'business' THEN 'team' ELSE 'business' END, updated_s = a.at_s
FROM altered a WHERE a.cio_id = p.cio_id;

-- count: profiles_moved
INSERT INTO altered
SELECT p.cio_id, 'attribute_change', gen.today_s(p.cio_id, 'address'), json_object('email', m.new_email), p._person
FROM customerio.person p JOIN moved m ON m.n = p._person
WHERE p.email IS NOT NULL AND gen.chance(p.cio_id, gen.salted('address'), 0.6);
UPDATE customerio.person AS p
SET email = m.new_email, company = coalesce(m.company_name, p.company), _company = m.new_company, updated_s = gen.today_s(p.cio_id, 'address')
FROM moved m
WHERE m.n = p._person AND p.email IS NOT NULL AND gen.chance(p.cio_id, gen.salted('address'), 0.6);

-- count: unsubscribed
INSERT INTO altered
SELECT cio_id, 'unsubscribed_email', gen.today_s(cio_id, 'leaves'), json_object(), _person
FROM customerio.person WHERE NOT unsubscribed AND gen.chance(cio_id, gen.salted('leaves'), 0.002);
UPDATE customerio.person AS p SET unsubscribed = true, updated_s = gen.today_s(p.cio_id, 'leaves')
WHERE NOT unsubscribed AND gen.chance(cio_id, gen.salted('leaves'), 0.002);

-- Of two profiles of one person the elder stays; the other is gone. Deliveries keep the profile they were sent to.
CREATE OR REPLACE TEMP TABLE folded AS
SELECT min(cio_id) AS winner, max(cio_id) AS loser, gen.today_s(min(cio_id), 'folded') AS at_s, _person AS person
FROM customerio.person GROUP BY _person HAVING count(*) > 1
ORDER BY gen.h(winner, gen.salted('fold')) LIMIT greatest(1, getvariable('people') // 2000);
INSERT INTO altered
SELECT winner, 'profile_merge', at_s, json_object('primary', json_object('cio_id', winner), 'secondary', json_object('cio_id', loser)), person FROM folded;
INSERT INTO altered SELECT loser, 'profile_delete', at_s, json_object(), person FROM folded;

-- count: profiles_merged
DELETE FROM customerio.person WHERE cio_id IN (SELECT loser FROM folded);

CREATE OR REPLACE TEMP TABLE erased AS
SELECT cio_id, _person AS person FROM customerio.person
ORDER BY gen.h(cio_id, gen.salted('erased')) LIMIT greatest(1, getvariable('people') // 1000);
INSERT INTO altered SELECT cio_id, 'profile_delete', gen.today_s(cio_id, 'erased'), json_object(), person FROM erased;
-- Older deliveries stay as they are: nobody who reads them again for thirty days could ever learn of it.
UPDATE customerio.message SET forgotten = true, recipient = NULL
WHERE cio_id IN (SELECT cio_id FROM erased) AND created >= getvariable('until_s') - 28 * 86400;

-- count: profiles_deleted
DELETE FROM customerio.person WHERE cio_id IN (SELECT cio_id FROM erased);

INSERT INTO customerio.activity
SELECT concat('01', upper(printf('%012x', at_s * 1000)), upper(right(printf('%016x', gen.h(cio_id, gen.salted(what))), 12))),
    what, at_s, cio_id, NULL, NULL, NULL, NULL, data, person
FROM altered ORDER BY at_s;
DELETE FROM customerio.activity WHERE timestamp < getvariable('until_s') - 45 * 86400;
