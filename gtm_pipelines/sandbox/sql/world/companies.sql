-- Companies [company_lo, company_hi): no two share a domain, one in fifty shares its name with another.
INSERT INTO truth.company
SELECT
    n,
    CASE WHEN n > 0 AND gen.chance(n, 'namesake', 0.02) THEN concat_ws(' ', twin_a.word, twin_b.word, twin_t.word)
        ELSE concat_ws(' ', a.word, b.word, t.word) END,
    concat(lower(concat(a.word, b.word, t.word)), CASE WHEN n >= 279360 THEN n::VARCHAR ELSE '' END,
        CASE gen.pick(n, 'top level', 8) WHEN 0 THEN '.io' WHEN 1 THEN '.co' ELSE '.com' END),
    t.industry,
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
        (greatest(r.n - 1, 0) * 48271 + gen.pick(0, 'company', 279360)) % 279360 AS twin_k
    FROM range(getvariable('company_lo'), getvariable('company_hi')) r(n)
) company
JOIN gen.company_first a ON a.i = company.k // 2910
JOIN gen.company_second b ON b.i = company.k % 2910 // 30
JOIN gen.trade t ON t.i = company.k % 30
JOIN gen.company_first twin_a ON twin_a.i = company.twin_k // 2910
JOIN gen.company_second twin_b ON twin_b.i = company.twin_k % 2910 // 30
JOIN gen.trade twin_t ON twin_t.i = company.twin_k % 30
JOIN gen.city city ON city.i = gen.pick(n, 'city', getvariable('city_count'))
JOIN gen.area_code area ON area.i = n % 116
ORDER BY n;
