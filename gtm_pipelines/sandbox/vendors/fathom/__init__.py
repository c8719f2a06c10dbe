"""Fathom: recorded meetings, who was invited, and what was said."""
