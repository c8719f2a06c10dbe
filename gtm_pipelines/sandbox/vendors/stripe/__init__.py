"""Stripe's API: customers, what they subscribe to, are invoiced and charged, the catalogue, and the event log."""
