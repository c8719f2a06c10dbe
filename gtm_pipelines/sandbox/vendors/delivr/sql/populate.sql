-- Whom Delivr.ai recognises of people [person_lo, person_hi), under an address of work or a private one.
INSERT INTO delivr.profile
WITH seen AS (
    SELECT p.*, lower(CASE
            WHEN gen.chance(p.n, 'delivr private', 0.25) THEN personal_email
            WHEN previous_email IS NOT NULL AND gen.chance(p.n, 'delivr is stale', 0.3) THEN previous_email
            ELSE p.email END) AS address
    FROM truth.person p
    WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND gen.chance(p.n, 'delivr', 0.5)
)
SELECT sha256(address), address, gen.written_name(first_name, nickname, seen.n, 'delivr first', 0.1), last_name, title, c.name, c.domain,
    list_filter([101, 102, 103], lambda a: gen.chance(seen.n, concat('audience ', a), 0.6 / (a - 100)))::BIGINT[], seen.n, seen.company
FROM seen LEFT JOIN truth.company c ON c.n = seen.company
ORDER BY seen.n;

-- Visits of the last 12 days (or since the last step): a session of up to four pages. Every third visitor is a cookie and no more.
INSERT INTO delivr.event
WITH session AS (
    SELECT p.*, gen.h(p._person, concat('session', times.i, '.', getvariable('step'))) AS draw, gen.chance(p._person, concat('unknown', times.i), 0.3) AS is_unknown,
        gen.between_s(p._person, concat('visits', times.i, '.', getvariable('step')),
            greatest(getvariable('mailed_from_s'), getvariable('until_s') - 12 * 86400), getvariable('until_s')) AS start_s
    FROM delivr.profile p, range(0, 4) times(i)
    WHERE gen.chance(p._person, concat('is visiting', times.i, '.', getvariable('step')), coalesce(getvariable('mail_rate') * 1.2, 0))
), viewed AS (
    SELECT *, views.i AS nth, start_s * 1000 + (draw % 1000)::BIGINT + (views.i // 2) * (7000 + (draw % 90000)::BIGINT) AS at_ms
    FROM session, range(0, 8) views(i)
    WHERE views.i < 2 * (1 + (draw // 1000) % 4)
)
SELECT printf('%016x%d', draw, nth), at_ms,
    -- One in twelve is told of up to ten minutes late.
    at_ms + CASE WHEN gen.h(draw, nth) % 12 = 0 THEN (gen.h(draw, concat('late', nth)) % 600000)::BIGINT ELSE 400 END,
    CASE WHEN draw % 7 = 0 THEN 'px_docs' ELSE 'px_site' END, CASE nth % 2 WHEN 0 THEN 'page_view' ELSE 'engagement' END,
    concat('https://seller.example/', ['', 'pricing', 'docs/café?a=1&b=2', 'blog/why', 'demo'][1 + ((draw // 7 + nth // 2) % 5)::BIGINT]),
    printf('ses_%012x', draw % 281474976710656), printf('vis_%08x', gen.h(_person, 'cookie') % 4294967296),
    CASE WHEN NOT is_unknown THEN hem END, CASE WHEN NOT is_unknown THEN _person END
FROM viewed
WHERE at_ms < getvariable('until_s')::BIGINT * 1000
ORDER BY at_ms;

-- What they read elsewhere in the last 60 days (or since the last step).
INSERT INTO delivr.signal
WITH reading AS (
    SELECT p.*, gen.h(p._person, concat('reads', times.i, '.', getvariable('step'))) AS draw,
        gen.between_s(p._person, concat('reads at', times.i, '.', getvariable('step')),
            greatest(getvariable('mailed_from_s'), getvariable('until_s') - 60 * 86400), getvariable('until_s')) AS at_s
    FROM delivr.profile p, range(0, 3) times(i)
    WHERE gen.chance(p._person, concat('is reading', times.i, '.', getvariable('step')), coalesce(getvariable('mail_rate') * 1.2, 0))
)
SELECT printf('sig_%016x', draw), at_s, concat('4eyes_10010', 1 + draw % 4), concat('https://press.example/article/', draw % 997),
    5 + (draw // 11 % 400)::BIGINT, printf('off_%012x', draw % 281474976710656), hem, _person
FROM reading
ORDER BY at_s;
