"""Alembic migrations of the control plane. Each runs in one transaction and on both databases; none is ever edited."""

HEAD = "0003"
"""The newest revision. Stated here so that checking costs no import of Alembic; a test compares it with the scripts."""
