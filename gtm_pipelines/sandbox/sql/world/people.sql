-- People [person_lo, person_hi). Nobody shares a mailbox; one in 250 shares name and company with a neighbour.
INSERT INTO truth.person
WITH drawn AS (
    SELECT
        r.n,
        CASE WHEN gen.chance(r.n, 'namesake', 0.004) AND r.n > 0 THEN r.n - 1 ELSE r.n END AS k,
        gen.between_s(r.n, 'born', getvariable('from_s'), getvariable('until_s')) AS born_s
    FROM range(getvariable('person_lo'), getvariable('person_hi')) r(n)
), placed AS (
    SELECT
        n, k, born_s,
        CASE WHEN NOT gen.chance(k, 'freelance', 0.07)
            THEN floor(getvariable('company_hi') * pow(gen.share(k, 'company'), 1.5))::BIGINT END AS company,
        CASE WHEN gen.chance(n, 'moved', 0.06) AND NOT gen.chance(k, 'freelance', 0.07)
            THEN gen.pick(n, 'before', getvariable('company_hi')) END AS previous_company
    FROM drawn
), named AS (
    SELECT
        placed.*, f.name AS first_name, f.nickname, l.name AS last_name, t.title, c.domain, c.country,
        previous.domain AS previous_domain,
        gen.slug(f.name) AS first_slug, gen.slug(l.name) AS last_slug
    FROM placed
    JOIN gen.first_name f ON f.i = gen.pick(k, 'first name', getvariable('first_name_count'))
    JOIN gen.last_name l ON l.i = gen.pick(k, 'last name', getvariable('last_name_count'))
    JOIN gen.title t ON t.i = gen.pick(n, 'title', getvariable('title_count'))
    LEFT JOIN truth.company c ON c.n = company
    LEFT JOIN truth.company previous ON previous.n = nullif(previous_company, company)
), addressed AS (
    SELECT
        named.*,
        CASE gen.pick(coalesce(company, n), 'pattern', 4)
            WHEN 0 THEN concat(first_slug[1], last_slug)
            WHEN 1 THEN concat(first_slug, '_', last_slug)
            ELSE concat(first_slug, '.', last_slug) END AS local_part,
        concat(first_slug, '.', last_slug, n, '@', mail.domain) AS personal_email
    FROM named
    JOIN gen.free_mail mail ON mail.i = gen.pick(n, 'free mail', getvariable('free_mail_count'))
), numbered AS (
    SELECT
        addressed.*, concat(local_part, '@', domain) AS email_base,
        row_number() OVER (PARTITION BY local_part, domain ORDER BY n)
            + coalesce(taken.people, 0) AS nth
    FROM addressed
    LEFT JOIN (SELECT email_base, count(*) AS people FROM truth.person GROUP BY email_base) taken
        ON taken.email_base = concat(local_part, '@', domain)
)
SELECT
    n, first_name, coalesce(nickname, first_name), last_name, title, company,
    CASE WHEN company IS NULL THEN personal_email
        WHEN nth = 1 THEN email_base
        ELSE concat(local_part, nth, '@', domain) END,
    CASE WHEN company IS NULL THEN personal_email ELSE email_base END,
    personal_email,
    CASE WHEN country = 'GB' THEN concat('+447', lpad((400000000 + n)::VARCHAR, 9, '0')) ELSE gen.us_phone(area.code, n, 555) END,
    gen.us_phone(area.code, n, 655),
    CASE WHEN previous_domain IS NOT NULL THEN previous_company END,
    CASE WHEN previous_domain IS NOT NULL THEN concat(local_part, nth, n % 97, '@', previous_domain) END,
    born_s, born_s
FROM numbered
JOIN gen.area_code area ON area.i = n % 116
ORDER BY n;
