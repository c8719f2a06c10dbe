"""Stripe, described in connector.yml."""
