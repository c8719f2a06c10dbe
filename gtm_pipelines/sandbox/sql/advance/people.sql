-- Who changes jobs today; the vendors notice in their own time, or never.

-- count: people_moved
CREATE OR REPLACE TEMP TABLE moved AS
SELECT
    p.n, p.company AS old_company, c.n AS new_company, p.email AS old_email, c.name AS company_name,
    concat(gen.slug(p.first_name), '.', gen.slug(p.last_name), p.n, '@', c.domain) AS new_email, gen.pick(p.n, gen.salted('moved at'), 86400) AS second
FROM truth.person p
JOIN truth.company c ON c.n = gen.pick(p.n, gen.salted('moved to'), getvariable('company_lo'))
WHERE p.company IS NOT NULL AND c.n <> p.company AND gen.chance(p.n, gen.salted('moved'), getvariable('rare_rate'));

UPDATE truth.person AS p
SET previous_company = m.old_company, previous_email = m.old_email, company = m.new_company, email = m.new_email, email_base = m.new_email,
    altered_s = getvariable('previous_s') + 1 + m.second
FROM moved m WHERE m.n = p.n;
