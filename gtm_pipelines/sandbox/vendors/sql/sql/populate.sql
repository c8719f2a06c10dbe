-- What the back office knows of companies [company_lo, company_hi) and people [person_lo, person_hi), and its calls.
INSERT INTO sql.accounts
SELECT
    10000 + c.n, CASE WHEN gen.chance(c.n, 'ledger name', 0.3) THEN concat(upper(c.name), ' LTD') ELSE c.name END,
    CASE WHEN gen.chance(c.n, 'ledger domain', 0.75) THEN c.domain END, c.industry, c.employees, c.revenue,
    gen.moment(gen.between_s(c.n, 'ledger changed', c.born_s, getvariable('until_s'))), false, c.n
FROM truth.company c
WHERE c.n >= getvariable('company_lo') AND c.n < getvariable('company_hi') AND gen.chance(c.n, 'ledger', 0.65)
ORDER BY c.n;

INSERT INTO sql.people
SELECT
    9000000 + p.n,
    CASE WHEN gen.chance(p.n, 'ledger personal', 0.1) THEN p.personal_email ELSE gen.written_email(p.email, p.n, 'ledger', 0.02) END,
    gen.written_name(p.first_name, p.nickname, p.n, 'ledger first', 0.1), gen.written_name(p.last_name, p.last_name, p.n, 'ledger last', 0),
    p.title, CASE WHEN gen.chance(p.n, 'ledger phone', 0.6) THEN gen.written_phone(p.phone, gen.pick(p.n, 'ledger phone style', 7)) END,
    CASE WHEN p.company IS NOT NULL AND gen.chance(p.company, 'ledger', 0.65) THEN 10000 + p.company END,
    round(gen.share(p.n, 'ledger score') * 100, 4),
    -- The nightly job of long ago left one time on a part of the table.
    gen.moment(CASE WHEN gen.chance(p.n, 'nightly', 0.3) AND p.born_s < getvariable('mass_update_s') THEN getvariable('mass_update_s')
        ELSE gen.between_s(p.n, 'ledger row', p.born_s, getvariable('until_s')) END),
    false, p.n, p.company
FROM truth.person p
WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND gen.chance(p.n, 'ledger person', 0.45)
ORDER BY p.n;

INSERT INTO sql.activities
SELECT
    (getvariable('step') * 4000000 + p._person) * 4 + times.i, ['call', 'visit', 'letter'][1 + gen.pick(p._person, times.i::VARCHAR, 3)],
    ['phone', 'in person', 'post'][1 + gen.pick(p._person, times.i::VARCHAR, 3)], gen.moment(act.s), p.id, p.account_id,
    concat('Note ', times.i, ' — "', p.first_name, '"'), gen.moment(act.s), p._person, p._company
FROM sql.people p, range(0, 2) times(i),
    LATERAL (SELECT gen.between_s(p._person * 4 + times.i, gen.salted('called at'), getvariable('acts_from_s'), getvariable('until_s')) AS s) act
WHERE NOT p.deleted AND gen.chance(p._person * 4 + times.i, gen.salted('called'), getvariable('act_rate'))
ORDER BY p._person, times.i;
