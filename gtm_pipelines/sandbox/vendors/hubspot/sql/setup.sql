-- The people who work with the portal; made once.
INSERT INTO hubspot.owner
SELECT
    70000001 + r.n, concat(gen.slug(f.name), '.', gen.slug(l.name), '@seller.example'), f.name, l.name, 4000001 + r.n,
    (getvariable('from_s') + r.n) * 1000, (getvariable('from_s') + r.n * 60) * 1000, r.n % 17 = 16
FROM range(0, getvariable('users')) r(n)
JOIN gen.first_name f ON f.i = gen.pick(r.n, 'user first', getvariable('first_name_count'))
JOIN gen.last_name l ON l.i = gen.pick(r.n, 'user last', getvariable('last_name_count'))
ORDER BY 1;
