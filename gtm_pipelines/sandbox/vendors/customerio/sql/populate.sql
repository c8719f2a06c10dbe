-- What Customer.io knows of people [person_lo, person_hi): a profile, sometimes two, and how it was mailed.
INSERT INTO customerio.person
WITH seen AS (
    SELECT p.*, copies.copy, p.n * 4 + copies.copy AS serial,
        gen.between_s(p.n * 4 + copies.copy, 'profile made', p.born_s, getvariable('until_s')) AS created_s
    FROM truth.person p, (VALUES (0), (1)) copies(copy)
    WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND gen.chance(p.n, 'customerio', 0.6)
      AND (copy = 0 OR gen.chance(p.n, 'profile twice', 0.03))
)
SELECT
    printf('d9c1%08x', serial),
    CASE WHEN NOT gen.chance(serial, 'anonymous', 0.05) THEN (100000 + serial)::VARCHAR END,
    CASE
        WHEN gen.chance(serial, 'profile no email', 0.03) THEN NULL
        WHEN copy = 1 OR gen.chance(serial, 'profile personal', 0.15) THEN lower(gen.dotted(personal_email, serial, 'profile'))
        WHEN previous_email IS NOT NULL AND gen.chance(serial, 'profile is stale', 0.3) THEN previous_email
        ELSE gen.written_email(seen.email, serial, 'profile', 0.06) END,
    CASE WHEN gen.chance(serial, 'profile name', 0.85) THEN gen.written_name(first_name, nickname, serial, 'profile first', 0.2) END,
    CASE WHEN gen.chance(serial, 'profile name', 0.85) THEN gen.written_name(last_name, last_name, serial, 'profile last', 0) END,
    CASE WHEN gen.chance(serial, 'profile title', 0.3) THEN title END,
    CASE
        WHEN gen.chance(serial, 'profile mobile', 0.3) THEN gen.written_phone(mobile, gen.pick(serial, 'profile mobile style', 5))
        WHEN gen.chance(serial, 'profile phone', 0.1) THEN gen.written_phone(seen.phone, gen.pick(serial, 'profile phone style', 5)) END,
    CASE WHEN gen.chance(serial, 'profile company', 0.5) THEN c.name END,
    ['free', 'team', 'business', NULL][1 + gen.pick(serial, 'profile plan', 4)],
    c.city, gen.chance(serial, 'unsubscribed', 0.06),
    created_s, gen.between_s(serial, 'profile changed', created_s, getvariable('until_s')),
    seen.n, seen.company
FROM seen
LEFT JOIN truth.company c ON c.n = seen.company
ORDER BY 1;

-- Deliveries of the last 90 days (or since the last step), with what will come of them.
INSERT INTO customerio.message
WITH mailed AS (
    SELECT
        p.*, times.i, gen.h(p.cio_id, concat('delivery', times.i, '.', getvariable('step'))) AS draw,
        gen.between_s(p.cio_id, concat('mailed', times.i, '.', getvariable('step')),
            greatest(created_s, getvariable('mailed_from_s')), getvariable('until_s')) AS mailed_s
    FROM customerio.person p, range(0, 3) times(i)
    WHERE p.created_s < getvariable('until_s') AND email IS NOT NULL
      AND gen.chance(p.cio_id, concat('is mailed', times.i, '.', getvariable('step')), getvariable('mail_rate'))
), fated AS (
    SELECT *, draw % 100 < 3 AS is_bounced, (draw // 100) % 100 < 40 AS is_opened, (draw // 10000) % 100 < 25 AS is_clicked,
        (draw // 1000000) % 100 < 20 AS is_converted, ((draw // 100000000) % 259200)::BIGINT AS delay_s
    FROM mailed
)
SELECT
    concat('RPIL', printf('%016x', draw)), cio_id,
    CASE WHEN draw % 5 < 4 THEN 1 + (draw % 6)::BIGINT END, CASE WHEN draw % 5 = 4 THEN 1 + (draw % 3)::BIGINT END,
    40 + (draw % 12)::BIGINT, CASE WHEN draw % 11 = 0 THEN 'push' ELSE 'email' END,
    ['Welcome aboard', 'Your week in numbers', 'Naïve café prices — 20 % off'][1 + (draw % 3)::BIGINT], email,
    mailed_s, mailed_s + 2, CASE WHEN NOT is_bounced THEN mailed_s + 9 END,
    CASE WHEN NOT is_bounced AND is_opened THEN mailed_s + 60 + delay_s END,
    CASE WHEN NOT is_bounced AND is_opened AND is_clicked THEN mailed_s + 95 + delay_s END,
    CASE WHEN NOT is_bounced AND is_opened AND is_clicked AND is_converted THEN mailed_s + 86400 + delay_s END,
    CASE WHEN is_bounced THEN mailed_s + 12 END, CASE WHEN is_bounced THEN '550 5.1.1 mailbox unknown' END,
    false, _person
FROM fated
ORDER BY mailed_s;

-- Every metric of a delivery is an activity, and people do things of their own.
INSERT INTO customerio.activity
WITH happened AS (
    SELECT id AS delivery_id, type AS delivery_type, cio_id, _person, subject,
        unnest(['sent', 'delivered', 'opened', 'clicked', 'converted', 'bounced']) AS metric,
        unnest([sent, delivered, opened, clicked, converted, bounced]) AS at_s
    FROM customerio.message
    WHERE created >= getvariable('mailed_from_s') AND created >= getvariable('until_s') - 40 * 86400
), own AS (
    SELECT p.cio_id, p._person, times.i,
        gen.between_s(p.cio_id, concat('acts at', times.i, '.', getvariable('step')),
            greatest(p.created_s, getvariable('acts_from_s')), getvariable('until_s')) AS at_s,
        ['demo_requested', 'pricing_viewed', 'invited_teammate'][1 + gen.pick(p.cio_id, concat('act', times.i), 3)] AS name
    FROM customerio.person p, range(0, 2) times(i)
    WHERE gen.chance(p.cio_id, concat('acts', times.i, '.', getvariable('step')), getvariable('act_rate'))
), newcomer AS (
    SELECT cio_id, _person, created_s AS at_s FROM customerio.person
    WHERE _person >= getvariable('person_lo') AND _person < getvariable('person_hi') AND created_s >= getvariable('acts_from_s')
), every AS (
    SELECT concat(metric, '_', delivery_type) AS type, at_s, cio_id, NULL AS name, delivery_id, delivery_type,
        CASE metric WHEN 'clicked' THEN 'https://seller.example/pricing?a=1&b=2' END AS url,
        json_object('subject', subject) AS data, _person, concat(delivery_id, metric) AS salt
    FROM happened WHERE at_s >= getvariable('acts_from_s')
    UNION ALL
    SELECT 'event', at_s, cio_id, name, NULL, NULL, NULL, json_object('plan', 'team', 'seats', at_s % 40), _person,
        concat(cio_id, i, '.', getvariable('step'))
    FROM own
    UNION ALL
    SELECT 'profile_create', at_s, cio_id, NULL, NULL, NULL, NULL, json_object(), _person, concat(cio_id, ' came') FROM newcomer
)
SELECT concat('01', upper(printf('%012x', at_s * 1000)), upper(right(printf('%016x', gen.h(salt, 'ulid')), 12))),
    type, at_s, cio_id, name, delivery_id, delivery_type, url, data, _person
FROM every
ORDER BY at_s;
