-- Who uses the account, and the fields it has added.
INSERT INTO close.user
SELECT close.oid('user_', r.n), r.n, f.name, l.name, concat(gen.slug(f.name), '.', gen.slug(l.name), '@seller.example'),
    gen.moment(getvariable('from_s') + r.n), gen.moment(getvariable('from_s') + r.n * 60)
FROM range(0, least(getvariable('users'), 12)) r(n)
JOIN gen.first_name f ON f.i = gen.pick(r.n, 'user first', getvariable('first_name_count'))
JOIN gen.last_name l ON l.i = gen.pick(r.n, 'user last', getvariable('last_name_count'))
ORDER BY r.n;

INSERT INTO close.custom_field
SELECT close.cf(name), object_type, name, type, gen.moment(getvariable('from_s')), gen.moment(getvariable('from_s'))
FROM (VALUES ('lead', 'Industry', 'text'), ('lead', 'Employees', 'number'), ('contact', 'LinkedIn', 'text'), ('opportunity', 'Competitor', 'text'),
    ('shared', 'Source', 'text')) known(object_type, name, type);
