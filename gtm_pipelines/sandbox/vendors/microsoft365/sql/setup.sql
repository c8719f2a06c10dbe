-- The seller's directory: its staff with mailboxes, a room that has none, and a guest; and what they do among themselves.
INSERT INTO microsoft365.account
WITH named AS (
    SELECT r.n, f.name AS given, l.name AS surname, concat(gen.slug(f.name), '.', gen.slug(l.name)) AS local_part
    FROM range(0, getvariable('users')) r(n)
    JOIN gen.first_name f ON f.i = gen.pick(r.n, 'user first', getvariable('first_name_count'))
    JOIN gen.last_name l ON l.i = gen.pick(r.n, 'user last', getvariable('last_name_count'))
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY local_part ORDER BY n) AS nth FROM named
)
SELECT
    n, microsoft365.guid(n, 'account'), concat('user', n, '@seller.example'),
    concat(local_part, CASE WHEN nth > 1 THEN nth::VARCHAR ELSE '' END, CASE n % 5 WHEN 4 THEN '@seller-group.example' ELSE '@seller.example' END),
    given, surname, CASE n WHEN 0 THEN 'Integration' ELSE 'Account Executive' END, gen.us_phone('212', n, 855), NULL,
    'member', n % 17 <> 16, false, getvariable('from_s') + n, 0
FROM numbered
UNION ALL SELECT 900, microsoft365.guid(900, 'account'), 'room.oak@seller.example', 'room.oak@seller.example', NULL, 'Oak Room', NULL, NULL, NULL,
    'room', true, false, getvariable('from_s'), 0
UNION ALL SELECT 901, microsoft365.guid(901, 'account'), 'pat_partner.example#EXT#@seller.onmicrosoft.com', 'pat@partner.example', 'Pat', 'Partner',
    'Consultant', NULL, NULL, 'guest', true, false, getvariable('from_s'), 0
ORDER BY 1;

-- Meetings and mails among colleagues, which tell nothing of any customer.
INSERT INTO microsoft365.event
SELECT
    each.n, row_number() OVER (ORDER BY a.n, each.n), gen.h(1000 + a.n, concat('stand-up ', each.n)), concat('040000008200E0', printf('%016X', gen.h(a.n, 'stand-up'))), 'singleInstance', NULL,
    'Stand-up', starts_s, starts_s + 900, starts_s + 900, NULL, {'name': a.given || ' ' || a.surname, 'address': a.mail},
    [{'name': b.given || ' ' || b.surname, 'address': b.mail}], [], false, false, starts_s - 86400, starts_s - 86400, 0, NULL
FROM microsoft365.account a
JOIN microsoft365.account b ON b.kind = 'member' AND b.n = (a.n + 1) % getvariable('users')
JOIN LATERAL (SELECT unnest([a.n, b.n]) AS n) each ON true,
    (SELECT getvariable('until_s') - 7 * 86400 + 32400 AS starts_s)
WHERE a.kind = 'member';

INSERT INTO microsoft365.message
SELECT
    each.n, row_number() OVER (ORDER BY a.n, each.n), gen.h(2000 + a.n, concat('memo ', each.folder)), each.folder, NULL, concat('<memo-', a.n, '@seller.example>'), concat('memo', a.n), 'Expenses',
    {'name': a.given || ' ' || a.surname, 'address': a.mail}, [{'name': b.given || ' ' || b.surname, 'address': b.mail}], [],
    at_s, at_s, at_s, false, 0, NULL
FROM microsoft365.account a
JOIN microsoft365.account b ON b.kind = 'member' AND b.n = (a.n + 1) % getvariable('users')
JOIN LATERAL (SELECT unnest([{'n': a.n, 'folder': 'sentitems'}, {'n': b.n, 'folder': 'inbox'}], recursive := true)) each(n, folder) ON true,
    (SELECT getvariable('until_s') - 5 * 86400 AS at_s)
WHERE a.kind = 'member';
