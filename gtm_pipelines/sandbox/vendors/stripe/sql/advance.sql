-- A day at Stripe. What it does to an object is noted in stripe_happened, and becomes events at the end of the day.

CREATE OR REPLACE TEMP TABLE stripe_happened (kind VARCHAR, id VARCHAR, type VARCHAR, at_s BIGINT);

-- count: customers_changed
INSERT INTO stripe_happened
SELECT 'customer', id, 'customer.updated', gen.today_s(id, 'customer changes') FROM stripe.customer
WHERE NOT deleted AND gen.chance(id, gen.salted('customer changes'), 0.02);
UPDATE stripe.customer SET description = concat('Reviewed on day ', getvariable('step'))
WHERE NOT deleted AND gen.chance(id, gen.salted('customer changes'), 0.02);

-- One second, many customers: somebody's script sets a segment.
-- count: customers_mass_updated
INSERT INTO stripe_happened
SELECT 'customer', id, 'customer.updated', getvariable('until_s') FROM stripe.customer
WHERE NOT deleted AND gen.chance(id, gen.salted('segment'), getvariable('mass_rate'));
UPDATE stripe.customer SET metadata = json_merge_patch(metadata, json_object('segment', concat('s', getvariable('step'))))
WHERE NOT deleted AND gen.chance(id, gen.salted('segment'), getvariable('mass_rate'));

-- Deleted customers: half of them in the very second of the mass update. Their subscriptions end with them.
CREATE OR REPLACE TEMP TABLE stripe_gone AS
SELECT id, CASE gen.pick(id, 'gone when', 2) WHEN 0 THEN getvariable('until_s') ELSE gen.today_s(id, 'gone') END AS at_s
FROM stripe.customer WHERE NOT deleted
ORDER BY gen.h(id, gen.salted('gone')) LIMIT greatest(1, getvariable('people') // 1000);
INSERT INTO stripe_happened SELECT 'customer', id, 'customer.deleted', at_s FROM stripe_gone;

-- count: customers_deleted
UPDATE stripe.customer SET deleted = true WHERE id IN (SELECT id FROM stripe_gone);

CREATE OR REPLACE TEMP TABLE stripe_ended AS
SELECT s.id, coalesce(g.at_s, gen.today_s(s.id, 'ends')) AS at_s FROM stripe.subscription s LEFT JOIN stripe_gone g ON g.id = s.customer
WHERE s.status <> 'canceled' AND (g.id IS NOT NULL OR gen.chance(s.id, gen.salted('ends'), 0.004));
INSERT INTO stripe_happened SELECT 'subscription', id, 'customer.subscription.deleted', at_s FROM stripe_ended;

-- count: subscriptions_canceled
UPDATE stripe.subscription AS s SET status = 'canceled', canceled_at = e.at_s FROM stripe_ended e WHERE e.id = s.id;

-- Renewals: the period that ended today brings an invoice and a charge, and one in twenty fails.
CREATE OR REPLACE TEMP TABLE stripe_renewed AS
SELECT s.*, p.unit_amount * s.quantity AS amount, p.currency, CASE p.every WHEN 'year' THEN 31536000 ELSE 2592000 END AS length,
    gen.chance(s.id, gen.salted('declined'), 0.05) AS is_declined,
    stripe.oid('in_', s.serial * 1024 + 512 + getvariable('step')) AS invoice, c.email
FROM stripe.subscription s JOIN stripe.price p ON p.id = s.price JOIN stripe.customer c ON c.id = s.customer
WHERE s.status <> 'canceled' AND s.period_end <= getvariable('until_s');
INSERT INTO stripe_happened
SELECT 'subscription', id, 'customer.subscription.updated', period_end FROM stripe_renewed
UNION ALL SELECT 'invoice', invoice, unnest(['invoice.created', 'invoice.finalized', CASE WHEN is_declined THEN 'invoice.payment_failed' ELSE 'invoice.paid' END]), period_end FROM stripe_renewed
UNION ALL SELECT 'charge', concat('ch_', substr(invoice, 4)), CASE WHEN is_declined THEN 'charge.failed' ELSE 'charge.succeeded' END, period_end FROM stripe_renewed;

-- count: invoices_renewed
INSERT INTO stripe.invoice
SELECT invoice, period_end, customer, id, price, quantity, amount, currency, CASE WHEN is_declined THEN 'open' ELSE 'paid' END, period_end,
    CASE WHEN NOT is_declined THEN period_end END, false
FROM stripe_renewed;
INSERT INTO stripe.charge
SELECT concat('ch_', substr(invoice, 4)), period_end, customer, invoice, amount, 0, currency, CASE WHEN is_declined THEN 'failed' ELSE 'succeeded' END,
    CASE WHEN is_declined THEN 'card_declined' END, email, false
FROM stripe_renewed;
UPDATE stripe.subscription AS s
SET period_start = r.period_end, period_end = r.period_end + r.length, status = CASE WHEN r.is_declined THEN 'past_due' ELSE 'active' END
FROM stripe_renewed r WHERE r.id = s.id;

CREATE OR REPLACE TEMP TABLE stripe_paid AS
SELECT id, gen.today_s(id, 'paid at last') AS at_s FROM stripe.invoice
WHERE status = 'open' AND NOT deleted AND created <= getvariable('previous_s') AND gen.chance(id, gen.salted('paid at last'), 0.3);
INSERT INTO stripe_happened SELECT 'invoice', id, 'invoice.paid', at_s FROM stripe_paid;

-- count: invoices_paid
UPDATE stripe.invoice AS i SET status = 'paid', paid_at = p.at_s FROM stripe_paid p WHERE p.id = i.id;

-- A charge as old as the account may be refunded: its list place stays where it was, only an event tells.
CREATE OR REPLACE TEMP TABLE stripe_refunded AS
SELECT id, gen.today_s(id, 'refund') AS at_s FROM stripe.charge
WHERE status = 'succeeded' AND amount_refunded = 0 AND created <= getvariable('previous_s')
ORDER BY gen.h(id, gen.salted('refund')) LIMIT greatest(2, getvariable('people') // 1000);
INSERT INTO stripe_happened SELECT 'charge', id, 'charge.refunded', at_s FROM stripe_refunded;

-- count: charges_refunded
UPDATE stripe.charge SET amount_refunded = amount WHERE id IN (SELECT id FROM stripe_refunded);

-- Charges seen late: stamped before the day began, and so are their events.
CREATE OR REPLACE TEMP TABLE stripe_late AS
SELECT stripe.oid('ch_', (1::BIGINT << 39) + getvariable('step') * 1000000 + row_number() OVER (ORDER BY id)) AS id, id AS customer, email,
    getvariable('previous_s') - gen.pick(id, gen.salted('late by'), 5) * 60 AS at_s
FROM (SELECT id, email FROM stripe.customer WHERE NOT deleted AND created < getvariable('previous_s') - 300
    ORDER BY gen.h(id, gen.salted('late')) LIMIT greatest(2, getvariable('people') // 2000));
INSERT INTO stripe_happened SELECT 'charge', id, 'charge.succeeded', at_s FROM stripe_late;

-- count: charges_arriving_late
INSERT INTO stripe.charge SELECT id, at_s, customer, NULL, 25000, 0, 'usd', 'succeeded', NULL, email, false FROM stripe_late;

-- Drafts: yesterday's are thrown away, today some are written.
CREATE OR REPLACE TEMP TABLE stripe_dropped AS
SELECT id, gen.today_s(id, 'dropped') AS at_s FROM stripe.invoice
WHERE status = 'draft' AND NOT deleted AND created <= getvariable('previous_s')
ORDER BY gen.h(id, gen.salted('dropped')) LIMIT greatest(1, getvariable('people') // 1000);
INSERT INTO stripe_happened SELECT 'invoice', id, 'invoice.deleted', at_s FROM stripe_dropped;

-- count: drafts_deleted
UPDATE stripe.invoice SET deleted = true WHERE id IN (SELECT id FROM stripe_dropped);

CREATE OR REPLACE TEMP TABLE stripe_drafted AS
SELECT stripe.oid('in_', (1::BIGINT << 38) + ('0x' || substr(id, 6, 10))::BIGINT * 512 + getvariable('step')) AS id, id AS customer, gen.today_s(id, 'drafted') AS at_s
FROM stripe.customer WHERE NOT deleted AND created <= getvariable('previous_s')
ORDER BY gen.h(id, gen.salted('drafted')) LIMIT greatest(1, getvariable('people') // 1000);
INSERT INTO stripe_happened SELECT 'invoice', id, 'invoice.created', at_s FROM stripe_drafted;
INSERT INTO stripe.invoice
SELECT id, at_s, customer, NULL, stripe.oid('price_', 30), 1, 25000, 'usd', 'draft', NULL, NULL, false FROM stripe_drafted;

-- The catalogue: one old product goes with its price and plan, one is named anew.
CREATE OR REPLACE TEMP TABLE stripe_retired AS
SELECT id, product, gen.today_s(id, 'retired') AS at_s FROM stripe.price WHERE id = stripe.oid('price_', 103 + getvariable('step')) AND NOT deleted;
INSERT INTO stripe_happened
SELECT 'price', id, 'price.deleted', at_s FROM stripe_retired
UNION ALL SELECT 'plan', id, 'plan.deleted', at_s FROM stripe_retired
UNION ALL SELECT 'product', product, 'product.deleted', at_s FROM stripe_retired
UNION ALL SELECT 'product', stripe.oid('prod_', getvariable('step') % 3), 'product.updated', gen.today_s(getvariable('step'), 'renamed')
UNION ALL SELECT 'price', stripe.oid('price_', getvariable('step') % 3 * 10), 'price.updated', gen.today_s(getvariable('step'), 'renamed')
UNION ALL SELECT 'plan', stripe.oid('price_', getvariable('step') % 3 * 10), 'plan.updated', gen.today_s(getvariable('step'), 'renamed');
UPDATE stripe.price SET deleted = true WHERE id IN (SELECT id FROM stripe_retired);

-- count: products_deleted
UPDATE stripe.product SET deleted = true WHERE id IN (SELECT product FROM stripe_retired);
UPDATE stripe.product SET updated = gen.today_s(getvariable('step'), 'renamed'), name = concat(split_part(name, ' ', 1), ' ', getvariable('step'))
WHERE id = stripe.oid('prod_', getvariable('step') % 3);
UPDATE stripe.price SET nickname = concat('As of day ', getvariable('step')) WHERE id = stripe.oid('price_', getvariable('step') % 3 * 10);

INSERT INTO stripe.event
WITH happened AS (SELECT DISTINCT * FROM stripe_happened)
SELECT concat('evt_1', right(printf('%016x', gen.h(concat(id, type, at_s), 'event')), 16)), at_s, type, id, object FROM (
    SELECT h.*, stripe.customer_json(r) AS object FROM happened h JOIN stripe.customer r USING (id) WHERE kind = 'customer'
    UNION ALL SELECT h.*, stripe.subscription_json(r) FROM happened h JOIN stripe.subscription r USING (id) WHERE kind = 'subscription'
    UNION ALL SELECT h.*, stripe.invoice_json(r) FROM happened h JOIN stripe.invoice r USING (id) WHERE kind = 'invoice'
    UNION ALL SELECT h.*, stripe.charge_json(r) FROM happened h JOIN stripe.charge r USING (id) WHERE kind = 'charge'
    UNION ALL SELECT h.*, stripe.product_json(r) FROM happened h JOIN stripe.product r USING (id) WHERE kind = 'product'
    UNION ALL SELECT h.*, stripe.price_json(r) FROM happened h JOIN stripe.price r USING (id) WHERE kind = 'price'
    UNION ALL SELECT h.*, stripe.plan_json(r) FROM happened h JOIN stripe.price r USING (id) WHERE kind = 'plan'
) ORDER BY at_s;
DELETE FROM stripe.event WHERE created < getvariable('until_s') - 45 * 86400;
