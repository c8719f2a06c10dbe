-- One row per record that can be served now: whose it is. Cancelled subscriptions are served, deleted objects and archived prices are not.
SELECT 'customers', id, false, _person, _company FROM stripe.customer WHERE NOT deleted
UNION ALL SELECT 'subscriptions', id, false, NULL, NULL FROM stripe.subscription
UNION ALL SELECT 'invoices', id, false, NULL, NULL FROM stripe.invoice WHERE NOT deleted
UNION ALL SELECT 'charges', id, false, NULL, NULL FROM stripe.charge
UNION ALL SELECT 'products', id, false, NULL, NULL FROM stripe.product WHERE NOT deleted
UNION ALL SELECT 'prices', id, false, NULL, NULL FROM stripe.price WHERE NOT deleted AND active
UNION ALL SELECT 'plans', id, false, NULL, NULL FROM stripe.price WHERE NOT deleted AND every IS NOT NULL
