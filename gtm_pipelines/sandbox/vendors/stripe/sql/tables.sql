-- Stripe. Moments are epoch seconds, money is whole minor units, and what was deleted stays here for its last event.
CREATE TABLE stripe.customer (
    id VARCHAR, created BIGINT, name VARCHAR, business_name VARCHAR, individual_name VARCHAR, email VARCHAR, phone VARCHAR,
    description VARCHAR, currency VARCHAR, city VARCHAR, country VARCHAR, delinquent BOOLEAN, metadata JSON, deleted BOOLEAN,
    _person BIGINT, _company BIGINT
);
CREATE TABLE stripe.product (id VARCHAR, created BIGINT, updated BIGINT, name VARCHAR, active BOOLEAN, default_price VARCHAR, deleted BOOLEAN);
CREATE TABLE stripe.price (
    id VARCHAR, created BIGINT, product VARCHAR, unit_amount BIGINT, currency VARCHAR, every VARCHAR, nickname VARCHAR,
    active BOOLEAN, deleted BOOLEAN
);
CREATE TABLE stripe.subscription (
    id VARCHAR, created BIGINT, customer VARCHAR, price VARCHAR, quantity BIGINT, status VARCHAR, period_start BIGINT,
    period_end BIGINT, canceled_at BIGINT, serial BIGINT, deleted BOOLEAN
);
CREATE TABLE stripe.invoice (
    id VARCHAR, created BIGINT, customer VARCHAR, subscription VARCHAR, price VARCHAR, quantity BIGINT, amount BIGINT,
    currency VARCHAR, status VARCHAR, finalized_at BIGINT, paid_at BIGINT, deleted BOOLEAN
);
CREATE TABLE stripe.charge (
    id VARCHAR, created BIGINT, customer VARCHAR, invoice VARCHAR, amount BIGINT, amount_refunded BIGINT, currency VARCHAR,
    status VARCHAR, failure_code VARCHAR, email VARCHAR, deleted BOOLEAN
);
CREATE TABLE stripe.event (id VARCHAR, created BIGINT, type VARCHAR, object_id VARCHAR, object JSON);

-- Ids: a prefix, the record's serial number, and a tail that nobody can guess.
CREATE MACRO stripe.oid(prefix, serial) AS concat(prefix, '1', printf('%010x', (serial)::BIGINT), right(printf('%016x', gen.h(serial, prefix)), 6));

-- A row as the API writes it, in the words of 2026-10-28.endive.
CREATE MACRO stripe.customer_json(r) AS json_object(
    'id', r.id, 'object', 'customer', 'address', json_object('city', r.city, 'country', r.country, 'line1', NULL),
    'balance', 0, 'business_name', r.business_name, 'created', r.created, 'currency', r.currency, 'default_source', NULL,
    'delinquent', r.delinquent, 'description', r.description, 'discount', NULL, 'email', r.email,
    'individual_name', r.individual_name, 'invoice_prefix', upper(right(r.id, 8)), 'livemode', false, 'metadata', r.metadata,
    'name', r.name, 'phone', r.phone, 'preferred_locales', [], 'shipping', NULL, 'tax_exempt', 'none');
CREATE MACRO stripe.product_json(r) AS json_object(
    'id', r.id, 'object', 'product', 'active', r.active, 'created', r.created, 'default_price', r.default_price,
    'description', NULL, 'images', [], 'livemode', false, 'metadata', json_object(), 'name', r.name, 'type', 'service',
    'updated', r.updated, 'url', NULL);
CREATE MACRO stripe.price_json(r) AS json_object(
    'id', r.id, 'object', 'price', 'active', r.active, 'billing_scheme', 'per_unit', 'created', r.created,
    'currency', r.currency, 'livemode', false, 'lookup_key', NULL, 'metadata', json_object(), 'nickname', r.nickname,
    'product', r.product, 'recurring', CASE WHEN r.every IS NOT NULL
        THEN json_object('interval', r.every, 'interval_count', 1, 'usage_type', 'licensed') END,
    'tax_behavior', 'unspecified', 'type', CASE WHEN r.every IS NULL THEN 'one_time' ELSE 'recurring' END,
    'unit_amount', r.unit_amount, 'unit_amount_decimal', r.unit_amount::VARCHAR);
CREATE MACRO stripe.plan_json(r) AS json_object(
    'id', r.id, 'object', 'plan', 'active', r.active, 'amount', r.unit_amount, 'amount_decimal', r.unit_amount::VARCHAR,
    'billing_scheme', 'per_unit', 'created', r.created, 'currency', r.currency, 'interval', r.every, 'interval_count', 1,
    'livemode', false, 'metadata', json_object(), 'nickname', r.nickname, 'product', r.product, 'usage_type', 'licensed');
CREATE MACRO stripe.subscription_json(r) AS json_object(
    'id', r.id, 'object', 'subscription', 'billing_cycle_anchor', r.created, 'cancel_at_period_end', false,
    'canceled_at', r.canceled_at, 'collection_method', 'charge_automatically', 'created', r.created,
    'currency', (SELECT p.currency FROM stripe.price p WHERE p.id = r.price), 'customer', r.customer,
    'ended_at', r.canceled_at, 'items', json_object('object', 'list', 'data', [json_object(
        'id', concat('si_', substr(r.id, 5)), 'object', 'subscription_item', 'created', r.created,
        'current_period_start', r.period_start, 'current_period_end', r.period_end,
        'price', (SELECT stripe.price_json(p) FROM stripe.price p WHERE p.id = r.price), 'quantity', r.quantity,
        'subscription', r.id)], 'has_more', false, 'total_count', 1,
        'url', concat('/v1/subscription_items?subscription=', r.id)),
    'latest_invoice', NULL, 'livemode', false, 'metadata', json_object(), 'start_date', r.created, 'status', r.status);
CREATE MACRO stripe.invoice_json(r) AS json_object(
    'id', r.id, 'object', 'invoice', 'amount_due', r.amount, 'amount_paid', CASE r.status WHEN 'paid' THEN r.amount ELSE 0 END,
    'amount_remaining', CASE r.status WHEN 'paid' THEN 0 ELSE r.amount END, 'attempted', r.status <> 'draft',
    'billing_reason', CASE WHEN r.subscription IS NULL THEN 'manual' ELSE 'subscription_cycle' END, 'created', r.created,
    'currency', r.currency, 'customer', r.customer, 'lines', json_object('object', 'list', 'data', [json_object(
        'id', concat('il_', substr(r.id, 4)), 'object', 'line_item', 'amount', r.amount, 'currency', r.currency,
        'invoice', r.id, 'quantity', r.quantity, 'pricing', json_object('type', 'price_details', 'price_details',
            json_object('price', r.price)))], 'has_more', false, 'total_count', 1, 'url', concat('/v1/invoices/', r.id, '/lines')),
    'livemode', false, 'metadata', json_object(), 'number', CASE WHEN r.finalized_at IS NOT NULL THEN upper(concat('INV-', right(r.id, 8))) END,
    'parent', CASE WHEN r.subscription IS NOT NULL THEN json_object('type', 'subscription_details', 'subscription_details',
        json_object('subscription', r.subscription, 'metadata', json_object())) END,
    'status', r.status, 'status_transitions', json_object('finalized_at', r.finalized_at, 'marked_uncollectible_at', NULL,
        'paid_at', r.paid_at, 'voided_at', NULL), 'subtotal', r.amount, 'total', r.amount);
CREATE MACRO stripe.charge_json(r) AS json_object(
    'id', r.id, 'object', 'charge', 'amount', r.amount, 'amount_captured', CASE r.status WHEN 'succeeded' THEN r.amount ELSE 0 END,
    'amount_refunded', r.amount_refunded, 'billing_details', json_object('email', r.email, 'name', NULL, 'phone', NULL),
    'captured', r.status = 'succeeded', 'created', r.created, 'currency', r.currency, 'customer', r.customer,
    'description', CASE WHEN r.invoice IS NULL THEN 'One-off payment' ELSE 'Subscription update' END, 'disputed', false,
    'failure_code', r.failure_code, 'failure_message', CASE WHEN r.failure_code IS NOT NULL THEN 'Your card was declined.' END,
    'livemode', false, 'metadata', json_object(), 'paid', r.status = 'succeeded', 'receipt_email', r.email,
    'refunded', r.amount_refunded = r.amount, 'status', r.status);
CREATE MACRO stripe.event_json(r) AS json_object(
    'id', r.id, 'object', 'event', 'api_version', '2026-10-28.endive', 'created', r.created,
    'data', json_object('object', r.object), 'livemode', false, 'pending_webhooks', 0,
    'request', json_object('id', NULL, 'idempotency_key', NULL), 'type', r.type);
