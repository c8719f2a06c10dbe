-- What Close knows of companies [company_lo, company_hi) and people [person_lo, person_hi): leads, contacts, deals, and what was done.
INSERT INTO close.lead
WITH known AS (
    SELECT c.n * 4 + copies.copy AS serial, c.n AS company, NULL AS person, c.name, c.domain, c.industry, c.employees, c.city, c.country, c.born_s
    FROM truth.company c, (VALUES (0), (1)) copies(copy)
    WHERE c.n >= getvariable('company_lo') AND c.n < getvariable('company_hi') AND gen.chance(c.n, 'close', 0.6)
      AND (copies.copy = 0 OR gen.chance(c.n, 'lead twice', 0.06))
    UNION ALL
    SELECT p.n * 4 + 2, NULL, p.n, concat(p.first_name, ' ', p.last_name), NULL, NULL, NULL, 'Austin', 'US', p.born_s
    FROM truth.person p
    WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND p.company IS NULL AND gen.chance(p.n, 'close', 0.3)
), dated AS (
    SELECT *, gen.between_s(serial, 'lead made', greatest(born_s, getvariable('from_s')), getvariable('until_s')) AS created_s FROM known
)
SELECT
    close.oid('lead_', serial),
    CASE WHEN gen.chance(serial, 'lead legal', 0.2) AND company IS NOT NULL THEN concat(name, CASE country WHEN 'GB' THEN ' Limited' ELSE ' Inc' END)
        WHEN gen.chance(serial, 'lead lower', 0.05) THEN lower(name) WHEN gen.chance(serial, 'lead typo', 0.02) THEN gen.typo(name) ELSE name END,
    CASE WHEN gen.chance(serial, 'lead url', 0.8) THEN ['https://www.', 'http://', ''][1 + gen.pick(serial, 'lead url style', 3)] || domain END,
    CASE WHEN gen.chance(serial, 'lead text', 0.1) THEN 'Met at the fair; "call back" – urgent' END,
    ['Potential', 'Qualified', 'Customer', 'Bad Fit'][1 + gen.pick(serial, 'lead status', 4)],
    CASE WHEN gen.chance(serial, 'lead industry', 0.6) THEN industry END, CASE WHEN gen.chance(serial, 'lead size', 0.5) THEN employees END,
    city, country, close.at(created_s, serial, 'lead made'),
    greatest(close.at(created_s, serial, 'lead made'), close.at(gen.between_s(serial, 'lead changed', created_s, getvariable('until_s')), serial, 'lead changed')),
    person, company
FROM dated
ORDER BY serial;

INSERT INTO close.contact
WITH seen AS (
    SELECT p.*, copies.copy, p.n * 4 + copies.copy AS serial, l.id AS lead_id, l.date_created AS lead_made, l._company
    FROM truth.person p CROSS JOIN (VALUES (0), (1)) copies(copy)
    JOIN close.lead l ON l.id = CASE WHEN p.company IS NULL THEN close.oid('lead_', p.n * 4 + 2) ELSE close.oid('lead_', p.company * 4) END
    WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND (p.company IS NULL OR gen.chance(p.n, 'close contact', 0.65))
      AND (copies.copy = 0 OR gen.chance(p.n, 'close contact twice', 0.03))
), dated AS (
    SELECT *, gen.between_s(serial, 'contact made', greatest(epoch(lead_made)::BIGINT + 1, born_s, getvariable('from_s')), getvariable('until_s')) AS created_s FROM seen
)
SELECT
    close.oid('cont_', serial), lead_id,
    CASE WHEN gen.chance(serial, 'contact shout', 0.02) THEN upper(concat(first_name, ' ', last_name))
        ELSE concat(gen.written_name(first_name, nickname, serial, 'contact first', 0.15), ' ', gen.written_name(last_name, last_name, serial, 'contact last', 0)) END,
    CASE WHEN gen.chance(serial, 'contact title', 0.7) THEN title END,
    CASE WHEN gen.chance(serial, 'contact no email', 0.08) THEN NULL
        WHEN previous_email IS NOT NULL AND gen.chance(serial, 'contact is stale', 0.25) THEN previous_email
        ELSE gen.written_email(email, serial, 'contact', 0.01) END,
    CASE WHEN gen.chance(serial, 'contact second', 0.1) THEN personal_email END,
    CASE WHEN gen.chance(serial, 'contact phone', 0.5) THEN gen.written_phone(phone, gen.pick(serial, 'contact phone style', 7)) END,
    CASE WHEN gen.chance(serial, 'contact linkedin', 0.2) THEN concat('https://linkedin.example/in/', gen.slug(concat(first_name, last_name)), n) END,
    close.at(created_s, serial, 'contact made'),
    greatest(close.at(created_s, serial, 'contact made'), close.at(gen.between_s(serial, 'contact changed', created_s, getvariable('until_s')), serial, 'contact changed')),
    n, _company
FROM dated
ORDER BY serial;

INSERT INTO close.opportunity
WITH wanted AS (
    SELECT l.id AS lead_id, ('0x' || substr(l.id, 6, 10))::BIGINT * 4 + times.i AS serial, epoch(l.date_created)::BIGINT AS lead_s,
        (SELECT min(c.id) FROM close.contact c WHERE c.lead_id = l.id) AS contact_id
    FROM close.lead l, range(0, 3) times(i)
    WHERE l.date_created >= gen.moment(getvariable('from_s')) AND l.date_created <= gen.moment(getvariable('until_s'))
      AND gen.chance(l.id, concat('deal', times.i), 0.4)
), dated AS (
    SELECT *, gen.between_s(serial, 'deal made', lead_s + 1, getvariable('until_s')) AS created_s, gen.pick(serial, 'deal status', 3) AS s FROM wanted
), changed AS (
    SELECT *, greatest(created_s, gen.between_s(serial, 'deal changed', created_s, getvariable('until_s'))) AS changed_s FROM dated
)
SELECT close.oid('oppo_', serial), lead_id, contact_id, close.oid('user_', gen.pick(serial, 'deal owner', 5)), ['Active', 'Won', 'Lost'][1 + s],
    ['active', 'won', 'lost'][1 + s], 10000 * (1 + gen.pick(serial, 'deal value', 900)), ['one_time', 'monthly', 'annual'][1 + gen.pick(serial, 'deal period', 3)],
    [50, 100, 0][1 + s], CASE s WHEN 1 THEN gen.moment(changed_s)::DATE END, close.at(created_s, 0, 'deal'), close.at(changed_s, serial, 'deal changed')
FROM changed
ORDER BY serial;

INSERT INTO close.activity
WITH done AS (
    SELECT c.id AS contact_id, c.lead_id, ('0x' || substr(c.id, 6, 10))::BIGINT * 8 + times.i AS serial, epoch(c.date_created)::BIGINT AS known_s
    FROM close.contact c, range(0, 3) times(i)
    WHERE c.date_created >= gen.moment(getvariable('from_s')) AND c.date_created <= gen.moment(getvariable('until_s'))
      AND gen.chance(c.id, concat('done', times.i), 0.5)
), dated AS (
    SELECT *, gen.between_s(serial, 'done at', known_s + 1, getvariable('until_s')) AS at_s, gen.pick(serial, 'done what', 5) AS kind FROM done
)
SELECT close.oid('acti_', serial), ['Call', 'Email', 'Note', 'Meeting', 'SMS'][1 + kind], lead_id, contact_id, close.oid('user_', gen.pick(serial, 'done by', 5)),
    CASE WHEN kind IN (0, 1, 4) THEN ['outbound', 'inbound'][1 + gen.pick(serial, 'direction', 2)] END,
    CASE WHEN kind IN (1, 3) THEN ['Your renewal', 'Re: pricing', 'Intro'][1 + gen.pick(serial, 'subject', 3)] END,
    CASE kind WHEN 2 THEN 'Wants a demo next week.' END, CASE kind WHEN 0 THEN gen.pick(serial, 'talk', 1800) END,
    close.at(at_s, serial, 'done'), close.at(at_s, serial, 'done'), close.at(at_s, serial, 'done')
FROM dated
ORDER BY serial;

-- The log of the last days, and of everyone who came today.
INSERT INTO close.event
WITH made AS (
    SELECT 'lead' AS object_type, id, id AS lead_id, close.lead_json(r) AS data, date_created FROM close.lead r
    UNION ALL SELECT 'contact', id, lead_id, close.contact_json(r), date_created FROM close.contact r
    UNION ALL SELECT 'opportunity', id, lead_id, close.opportunity_json(r), date_created FROM close.opportunity r
    UNION ALL SELECT concat('activity.', lower(type)), id, lead_id, close.activity_json(r), date_created FROM close.activity r
)
SELECT concat('ev_', printf('%016x', gen.h(concat(id, 'created'), 'event'))), 'created', object_type, id, lead_id, [], data, json_object('request_method', 'POST'),
    date_created, date_created
FROM made
WHERE date_created >= gen.moment(getvariable('acts_from_s')) AND date_created <= gen.moment(getvariable('until_s'));
