-- The colleagues who record meetings; the same people use the CRM. Made once.
INSERT INTO fathom.colleague
SELECT r.n, concat(f.name, ' ', l.name), concat(gen.slug(f.name), '.', gen.slug(l.name), '@seller.example'),
    ['Sales', 'Customer Success', NULL][1 + r.n % 3], getvariable('from_s') + r.n * 60
FROM range(0, getvariable('users')) r(n)
JOIN gen.first_name f ON f.i = gen.pick(r.n, 'user first', getvariable('first_name_count'))
JOIN gen.last_name l ON l.i = gen.pick(r.n, 'user last', getvariable('last_name_count'))
ORDER BY r.n;
