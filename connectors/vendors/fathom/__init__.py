"""Fathom: recorded meetings, what was said in them, and who took part."""
