"""People's names: the form under which ``José  GARCÍA-López`` and ``jose garcia lopez`` are one name."""

from __future__ import annotations

from quality.normalise import text


def normal_form(name: str | None) -> str | None:
    """Return the name's words without accents in lower case, or None when it has no letters or digits."""
    return None if name is None else text.words(name) or None


def normal_form_sql(column: str) -> str:
    """Return the SQL of :func:`normal_form`."""
    return f"nullif({text.words_sql(column)}, '')"
