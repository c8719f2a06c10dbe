-- What happened between the seller and the world: meetings with companies, mails with people. At creation with many, on a
-- day with newcomers and with some of those who are there. Everybody of the staff who takes part has a copy.
CREATE OR REPLACE TEMP TABLE staff AS
SELECT list({'n': n, 'name': given || ' ' || surname, 'address': mail} ORDER BY n) AS everyone
FROM microsoft365.account WHERE kind = 'member' AND is_enabled AND n < 900;

CREATE OR REPLACE TEMP TABLE met AS
WITH party AS (
    SELECT
        company, gen.h(company, gen.salted('meeting')) AS hash, min(n) AS person,
        list({'name': first_name || ' ' || last_name,
              'address': microsoft365.address_of(email, personal_email, n, gen.h(n, gen.salted('typed'))), 'n': n} ORDER BY n)
            [1:1 + gen.pick(company, 'party', 3)] AS people
    FROM truth.person
    WHERE company IS NOT NULL AND (
        (n >= getvariable('person_lo') AND gen.chance(company, 'microsoft365', 0.5))
        OR (getvariable('step') > 0 AND gen.chance(company, gen.salted('meets'), 0.03)))
    GROUP BY company
), dated AS (
    SELECT *,
        gen.between_s(company, gen.salted('meets at'), CASE getvariable('step') WHEN 0 THEN getvariable('until_s') - 150 * 86400
            ELSE getvariable('previous_s') END, getvariable('until_s') + 30 * 86400) // 1800 * 1800 AS start_s
    FROM party
)
SELECT
    hash, person, people, start_s, start_s + 1800 * (1 + gen.pick(hash, 'long', 3)) AS end_s, hash % 7 = 0 AS is_series,
    greatest(least(start_s - 86400 * gen.pick(hash, 'ahead', 10), getvariable('until_s')), getvariable('from_s')) AS created_s,
    ['Discovery call', 'Demo', 'Quarterly review'][1 + gen.pick(hash, 'about', 3)] AS subject,
    everyone[1 + gen.pick(hash, 'organizer', len(everyone))] AS organizer, everyone[1 + gen.pick(hash, 'colleague', len(everyone))] AS colleague,
    gen.chance(hash, 'with a colleague', 0.4) AS is_joined
FROM dated, staff;

INSERT INTO microsoft365.event
WITH part AS (  -- a single meeting, or a series: its master first, then four weeks of it
    SELECT met.*, r.i, CASE WHEN NOT is_series THEN 'singleInstance' WHEN r.i = 0 THEN 'seriesMaster' ELSE 'occurrence' END AS kind,
        CASE WHEN is_joined AND colleague.n <> organizer.n THEN [organizer, colleague] ELSE [organizer] END AS sellers
    FROM met, range(0, 5) r(i) WHERE is_series OR r.i = 0
)
SELECT
    mailbox, (SELECT coalesce(max(serial), 0) FROM microsoft365.event) + row_number() OVER (ORDER BY hash, i, mailbox),
    gen.h(hash, concat('copy ', mailbox, '.', i)), concat('040000008200E0', printf('%016X', hash)), kind,
    CASE kind WHEN 'occurrence' THEN gen.h(hash, concat('copy ', mailbox, '.0')) END, subject,
    start_s + 604800 * greatest(i - 1, 0), end_s + 604800 * greatest(i - 1, 0), end_s + 604800 * CASE kind WHEN 'seriesMaster' THEN 3 ELSE greatest(i - 1, 0) END,
    NULL, {'name': organizer.name, 'address': organizer.address}, list_transform(sellers[2:], lambda x: {'name': x.name, 'address': x.address}), people,
    false, false, created_s, created_s, getvariable('step'), person
FROM part, LATERAL (SELECT unnest(list_transform(sellers, lambda x: x.n)) AS mailbox);

INSERT INTO microsoft365.message
WITH mailed AS (
    SELECT
        gen.h(p.n, gen.salted(concat('mail ', r.i))) AS hash, p.n AS person,
        {'name': first_name || ' ' || last_name,
         'address': microsoft365.address_of(email, personal_email, p.n, gen.h(p.n, gen.salted(concat('typed ', r.i))))} AS them,
        concat('thread', p.n, '.', getvariable('step')) AS conversation,
        gen.between_s(p.n, gen.salted(concat('mails at ', r.i)), CASE getvariable('step') WHEN 0 THEN getvariable('until_s') - 150 * 86400
            ELSE getvariable('previous_s') + 1 END, getvariable('until_s')) AS at_s
    FROM truth.person p, range(0, 3) r(i)
    WHERE r.i <= gen.pick(p.n, 'mails', 3) AND (
        (p.n >= getvariable('person_lo') AND gen.chance(p.n, 'corresponds', 0.3))
        OR (getvariable('step') > 0 AND gen.chance(p.n, gen.salted('mails'), 0.01)))
), between AS (
    SELECT mailed.*, hash % 2 = 0 AS is_sent, everyone[1 + gen.pick(person, 'writes to', len(everyone))] AS we,
        everyone[1 + gen.pick(hash, 'copied', len(everyone))] AS colleague, gen.chance(hash, 'copies', 0.3) AS is_copied
    FROM mailed, staff
), copied AS (
    SELECT *,
        CASE WHEN is_sent THEN {'name': we.name, 'address': we.address} ELSE them END AS sender,
        [CASE WHEN is_sent THEN them ELSE {'name': we.name, 'address': we.address} END] AS recipients,
        CASE WHEN is_copied AND colleague.n <> we.n THEN [{'name': colleague.name, 'address': colleague.address}] ELSE [] END AS others,
        [{'n': we.n, 'folder': CASE WHEN is_sent THEN 'sentitems' ELSE 'inbox' END}]
            || CASE WHEN is_copied AND colleague.n <> we.n THEN [{'n': colleague.n, 'folder': 'inbox'}] ELSE [] END AS copies
    FROM between
)
SELECT
    copy.n, (SELECT coalesce(max(serial), 0) FROM microsoft365.message) + row_number() OVER (ORDER BY hash, copy.n),
    gen.h(hash, concat('copy ', copy.n)), copy.folder, NULL, concat('<', printf('%016x', hash), '@mail.example>'), conversation,
    ['Re: pricing', 'Following up', 'Contract draft'][1 + (hash % 3)::BIGINT], sender, recipients, others, at_s, at_s + 2, at_s + 2,
    false, getvariable('step'), person
FROM copied, LATERAL (SELECT unnest(copies) AS copy);
