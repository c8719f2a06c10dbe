-- The catalogue: three products sold by the month and by the year in three currencies, a fee, and old ones nobody bought, half of them archived.
INSERT INTO stripe.product
SELECT stripe.oid('prod_', r.i), getvariable('from_s') + r.i * 3600, getvariable('from_s') + r.i * 7200,
    CASE WHEN r.i < 4 THEN ['Starter', 'Team', 'Business', 'Set-up'][r.i + 1] ELSE concat('Legacy ', 2018 + r.i % 7, '.', r.i) END, r.i < 4, NULL, false
FROM range(0, 34) r(i);

-- The yen has no smaller unit: 1,900 of it are 1,900.
INSERT INTO stripe.price
SELECT stripe.oid('price_', p.i * 10 + c.i * 2 + e.i), getvariable('from_s') + p.i * 3600 + c.i, stripe.oid('prod_', p.i),
    round([1900, 4900, 19900][p.i + 1] * CASE e.i WHEN 1 THEN 10 ELSE 1 END * c.rate)::BIGINT, c.currency,
    ['month', 'year'][e.i + 1], NULL, true, false
FROM range(0, 3) p(i), (VALUES (0, 'usd', 1.0), (1, 'gbp', 0.8), (2, 'jpy', 1.5)) c(i, currency, rate), range(0, 2) e(i);
INSERT INTO stripe.price
SELECT stripe.oid('price_', 30), getvariable('from_s') + 20000, stripe.oid('prod_', 3), 25000, 'usd', NULL, 'Set-up fee', true, false
UNION ALL
SELECT stripe.oid('price_', 100 + r.i), getvariable('from_s') + 21000 + r.i, stripe.oid('prod_', r.i), 900 + r.i, 'usd', 'month', NULL, r.i % 2 = 0, false
FROM range(4, 34) r(i);
