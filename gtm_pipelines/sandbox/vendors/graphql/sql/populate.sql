-- What the product knows of companies [company_lo, company_hi) and people [person_lo, person_hi), and what people did in it.
INSERT INTO graphql.company
WITH seen AS (
    SELECT c.*, gen.between_s(c.n, 'workspace made', c.born_s, getvariable('until_s')) AS created_s
    FROM truth.company c
    WHERE c.n >= getvariable('company_lo') AND c.n < getvariable('company_hi') AND gen.chance(c.n, 'workspace', 0.7)
)
SELECT
    concat('gid://sandbox/Company/', n),
    CASE gen.pick(n, 'workspace name', 5) WHEN 0 THEN lower(name) WHEN 1 THEN concat(name, ' GmbH') ELSE name END,
    CASE WHEN gen.chance(n, 'workspace site', 0.8) THEN concat('https://', domain) END,
    industry, employees, revenue, gen.moment(created_s),
    gen.moment(gen.between_s(n, 'workspace changed', created_s, getvariable('until_s'))), n
FROM seen
ORDER BY n;

INSERT INTO graphql.person
WITH seen AS (
    SELECT p.*, gen.between_s(p.n, 'sign-up', p.born_s, getvariable('until_s')) AS created_s
    FROM truth.person p
    WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND gen.chance(p.n, 'user', 0.5)
), changed AS (
    -- One import long ago left one stamp on a part of the table.
    SELECT *, CASE WHEN gen.chance(n, 'user import', 0.25) AND created_s < getvariable('mass_update_s')
        THEN getvariable('mass_update_s') ELSE gen.between_s(n, 'user changed', created_s, getvariable('until_s')) END AS changed_s
    FROM seen
)
SELECT
    concat('gid://sandbox/Person/', n),
    CASE
        WHEN gen.chance(n, 'user personal', 0.2) THEN lower(personal_email)
        WHEN previous_email IS NOT NULL AND gen.chance(n, 'user is stale', 0.4) THEN previous_email
        ELSE gen.written_email(email, n, 'user', 0.05) END,
    gen.written_name(first_name, nickname, n, 'user first', 0.25), gen.written_name(last_name, last_name, n, 'user last', 0),
    CASE WHEN gen.chance(n, 'user title', 0.5) THEN title END,
    CASE WHEN gen.chance(n, 'user phone', 0.3) THEN gen.written_phone(mobile, gen.pick(n, 'user phone style', 7)) END,
    CASE WHEN company IS NOT NULL AND gen.chance(company, 'workspace', 0.7) THEN concat('gid://sandbox/Company/', company) END,
    gen.moment(created_s), gen.moment(changed_s), NULL, n, company
FROM changed
ORDER BY n;

INSERT INTO graphql.activity
SELECT
    concat('gid://sandbox/Activity/', getvariable('step'), '-', p._person, '-', times.i),
    ['signed_in', 'invited_colleague', 'exported_report', 'asked_for_demo'][1 + gen.pick(p._person * 4 + times.i, 'did', 4)],
    'product', concat('Session ', times.i), gen.moment(act.s), gen.moment(act.s), p.id, p.company_id, p._person, p._company
FROM graphql.person p, range(0, 3) times(i),
    LATERAL (SELECT gen.between_s(p._person * 4 + times.i, gen.salted('did at'),
        greatest(epoch(p.created_at)::BIGINT, getvariable('acts_from_s')), getvariable('until_s')) AS s) act
WHERE p.deleted_at IS NULL AND gen.chance(p._person * 4 + times.i, gen.salted('active'), getvariable('act_rate'))
ORDER BY p._person, times.i;
