-- Companies [company_lo, company_hi): no two share a domain, one in fifty shares its name with another.
INSERT INTO truth.company
SELECT
    n,
    CASE WHEN n > 0 AND gen.chance(n, 'namesake', 0.02) THEN twin.name ELSE own.name END,
    concat(own.slug, CASE gen.pick(n, 'top level', 8) WHEN 0 THEN '.io' WHEN 1 THEN '.co' ELSE '.com' END),
    own.industry,
    employees,
    round(employees * (80000 + gen.share(n, 'revenue') * 220000), -3),
    city.city,
    city.country,
    CASE city.country
        WHEN 'GB' THEN concat('+4420', lpad((70000000 + n)::VARCHAR, 8, '0'))
        ELSE gen.us_phone(area.code, n, 755) END,
    gen.between_s(n, 'founded', getvariable('from_s'), getvariable('until_s'))
FROM (
    SELECT r.n, (5 + floor(3000 * pow(gen.share(r.n, 'employees'), 4)))::BIGINT AS employees,
        (r.n * 48271 + gen.pick(0, 'company', 279360)) % 279360 AS k,
        ((r.n - 1) * 48271 + gen.pick(0, 'company', 279360)) % 279360 AS twin_k
    FROM range(getvariable('company_lo'), getvariable('company_hi')) r(n)
) company
JOIN (
    SELECT a.i * 2910 + b.i * 30 + t.i AS k, concat(a.word, ' ', b.word, ' ', t.word) AS name,
        lower(concat(a.word, b.word, t.word)) AS slug, t.industry
    FROM gen.company_first a, gen.company_second b, gen.trade t
) own ON own.k = company.k
LEFT JOIN (
    SELECT a.i * 2910 + b.i * 30 + t.i AS k, concat(a.word, ' ', b.word, ' ', t.word) AS name
    FROM gen.company_first a, gen.company_second b, gen.trade t
) twin ON twin.k = company.twin_k
JOIN gen.city city ON city.i = gen.pick(n, 'city', getvariable('city_count'))
JOIN gen.area_code area ON area.i = n % 116
ORDER BY n;
