-- What Stripe learns of companies [company_lo, company_hi) and of people [person_lo, person_hi) who work for themselves:
-- who pays, for what, since when, with which invoices and charges.
INSERT INTO stripe.customer
WITH contact AS (
    SELECT company, arg_min(n, gen.h(n, 'billing contact')) AS n
    FROM truth.person WHERE company >= getvariable('company_lo') AND company < getvariable('company_hi') GROUP BY company
), paying AS (
    SELECT c.n * 4 + copies.copy AS serial, c.n AS company, p.n AS person, c.name AS company_name, c.domain, c.city, c.country, c.born_s,
        p.email, p.phone, NULL AS own_name, gen.chance(c.n * 4 + copies.copy, 'role mailbox', 0.3) OR p.n IS NULL AS is_role
    FROM truth.company c CROSS JOIN (VALUES (0), (1)) copies(copy)
    LEFT JOIN contact ON contact.company = c.n LEFT JOIN truth.person p ON p.n = contact.n
    WHERE c.n >= getvariable('company_lo') AND c.n < getvariable('company_hi') AND gen.chance(c.n, 'stripe', 0.5)
      AND (copies.copy = 0 OR gen.chance(c.n, 'stripe twice', 0.04))
    UNION ALL
    SELECT p.n * 4 + 2, NULL, p.n, NULL, NULL, 'Austin', 'US', p.born_s, p.email, p.mobile, concat(p.first_name, ' ', p.last_name), false
    FROM truth.person p
    WHERE p.n >= getvariable('person_lo') AND p.n < getvariable('person_hi') AND p.company IS NULL AND gen.chance(p.n, 'stripe', 0.4)
)
SELECT
    stripe.oid('cus_', serial), gen.between_s(serial, 'customer made', greatest(born_s, getvariable('from_s')), getvariable('until_s')),
    coalesce(own_name, CASE
        WHEN gen.chance(serial, 'customer legal', 0.25) THEN concat(company_name, CASE country WHEN 'GB' THEN ' Ltd' ELSE ', Inc.' END)
        WHEN gen.chance(serial, 'customer shout', 0.04) THEN upper(company_name)
        WHEN gen.chance(serial, 'customer typo', 0.02) THEN gen.typo(company_name) ELSE company_name END),
    CASE WHEN own_name IS NULL AND gen.chance(serial, 'customer business', 0.3) THEN company_name END,
    own_name,
    CASE WHEN is_role THEN concat(['billing', 'accounts', 'finance'][1 + gen.pick(serial, 'role', 3)], '@', domain)
        ELSE gen.written_email(email, serial, 'customer', 0.02) END,
    CASE WHEN NOT is_role AND gen.chance(serial, 'customer phone', 0.4) THEN gen.written_phone(phone, gen.pick(serial, 'customer phone style', 5)) END,
    NULL, CASE WHEN gen.chance(serial, 'customer yen', 0.03) THEN 'jpy' WHEN country = 'GB' THEN 'gbp' ELSE 'usd' END, city, country, false,
    CASE WHEN gen.chance(serial, 'customer domain', 0.5) AND domain IS NOT NULL THEN json_object('website', concat('https://www.', domain)) ELSE json_object() END,
    false, CASE WHEN NOT is_role THEN person END, company
FROM paying
ORDER BY serial;

INSERT INTO stripe.subscription
WITH begun AS (
    SELECT c.id AS customer, c.created AS came, copies.copy, ('0x' || substr(c.id, 6, 10))::BIGINT * 2 + copies.copy AS serial,
        least(c.created + gen.pick(c.id, concat('begins', copies.copy), 1209600), getvariable('until_s')) AS created, c.currency
    FROM stripe.customer c, (VALUES (0), (1)) copies(copy)
    WHERE c.created >= getvariable('from_s') AND c.created <= getvariable('until_s')
      AND gen.chance(c.id, concat('subscribes', copies.copy), CASE copies.copy WHEN 0 THEN 0.85 ELSE 0.08 END)
), placed AS (
    SELECT *, CASE WHEN gen.chance(serial, 'by the year', 0.25) THEN 1 ELSE 0 END AS e,
        CASE WHEN gen.chance(serial, 'cancels', 0.15) THEN gen.between_s(serial, 'cancels at', created, getvariable('until_s')) END AS canceled_at
    FROM begun
), timed AS (
    SELECT *, CASE e WHEN 1 THEN 31536000 ELSE 2592000 END AS length, coalesce(canceled_at, getvariable('until_s')) AS upto FROM placed
)
SELECT
    stripe.oid('sub_', serial), created, customer,
    stripe.oid('price_', gen.pick(serial, 'product', 3) * 10 + CASE currency WHEN 'usd' THEN 0 WHEN 'gbp' THEN 2 ELSE 4 END + e),
    1 + gen.pick(serial, 'seats', 20),
    CASE WHEN canceled_at IS NOT NULL THEN 'canceled' WHEN gen.chance(serial, 'past due', 0.04) THEN 'past_due'
        WHEN upto - created < 1209600 AND gen.chance(serial, 'trial', 0.3) THEN 'trialing' ELSE 'active' END,
    created + (upto - created) // length * length, created + ((upto - created) // length + 1) * length,
    canceled_at, serial, false
FROM timed
ORDER BY serial;

-- An invoice for each period that began, and a charge for each invoice.
INSERT INTO stripe.invoice
WITH due AS (
    SELECT s.*, p.unit_amount, p.currency, CASE p.every WHEN 'year' THEN 31536000 ELSE 2592000 END AS length,
        coalesce(s.canceled_at, getvariable('until_s')) AS upto
    FROM stripe.subscription s JOIN stripe.price p ON p.id = s.price
    WHERE s.created >= getvariable('from_s') AND s.created <= getvariable('until_s')
)
SELECT stripe.oid('in_', serial * 1024 + periods.i), created + periods.i * length, customer, id, price, quantity, unit_amount * quantity,
    currency, CASE WHEN status = 'past_due' AND created + (periods.i + 1) * length > upto THEN 'open' ELSE 'paid' END,
    created + periods.i * length, CASE WHEN NOT (status = 'past_due' AND created + (periods.i + 1) * length > upto) THEN created + periods.i * length END, false
FROM due, range(0, 38) periods(i)
WHERE created + periods.i * length <= upto
ORDER BY 2;
INSERT INTO stripe.invoice
SELECT stripe.oid('in_', (1::BIGINT << 38) + ('0x' || substr(id, 6, 10))::BIGINT * 512), gen.between_s(id, 'drafted', greatest(created, getvariable('acts_from_s')), getvariable('until_s')),
    id, NULL, stripe.oid('price_', 30), 1, 25000, 'usd', 'draft', NULL, NULL, false
FROM stripe.customer
WHERE created >= getvariable('from_s') AND created <= getvariable('until_s') AND gen.chance(id, 'draft', 0.1)
ORDER BY 2;

INSERT INTO stripe.charge
SELECT concat('ch_', substr(i.id, 4)), i.created, i.customer, i.id, i.amount,
    CASE WHEN i.status = 'paid' AND gen.chance(i.id, 'refunded', 0.01) THEN i.amount ELSE 0 END, i.currency,
    CASE i.status WHEN 'paid' THEN 'succeeded' ELSE 'failed' END, CASE WHEN i.status <> 'paid' THEN 'card_declined' END, c.email, false
FROM stripe.invoice i JOIN stripe.customer c ON c.id = i.customer
WHERE i.status <> 'draft' AND i.subscription IS NOT NULL AND c.created >= getvariable('from_s') AND c.created <= getvariable('until_s')
ORDER BY i.created;

-- Whatever happened lately is an event; what happened before is no longer told.
INSERT INTO stripe.event
WITH happened AS (
    SELECT id, created AS at_s, ['customer.created'] AS types, stripe.customer_json(r) AS object FROM stripe.customer r
    UNION ALL SELECT id, created, ['customer.subscription.created'], stripe.subscription_json(r) FROM stripe.subscription r
    UNION ALL SELECT id, canceled_at, ['customer.subscription.deleted'], stripe.subscription_json(r) FROM stripe.subscription r WHERE canceled_at IS NOT NULL
    UNION ALL SELECT id, created, CASE status WHEN 'draft' THEN ['invoice.created']
        WHEN 'paid' THEN ['invoice.created', 'invoice.finalized', 'invoice.paid', 'invoice.payment_succeeded']
        ELSE ['invoice.created', 'invoice.finalized', 'invoice.payment_failed'] END, stripe.invoice_json(r) FROM stripe.invoice r
    UNION ALL SELECT id, created, [CASE status WHEN 'succeeded' THEN 'charge.succeeded' ELSE 'charge.failed' END], stripe.charge_json(r) FROM stripe.charge r
)
SELECT concat('evt_1', right(printf('%016x', gen.h(concat(id, type, at_s), 'event')), 16)), at_s, type, id, object
FROM (SELECT id, at_s, unnest(types) AS type, object FROM happened WHERE at_s >= getvariable('acts_from_s') AND at_s <= getvariable('until_s'))
ORDER BY at_s;
