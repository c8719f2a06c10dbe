"""Company names: the form under which ``ACME, Inc.`` and ``Acme Incorporated`` are one name.

Only legal forms at the end and an article at the front are dropped: ``Acme Holdings`` and ``Acme`` may well be two.
"""

from __future__ import annotations

from quality.normalise import text

_LEGAL_FORMS = """
ab ag as asa bv co company corp corporation cv eirl ev gbr gmbh inc incorporated kft kg kgaa kk limited llc llp lp ltd
ltda nv ohg oy oyj plc pte pty pvt sa sarl sas se sl slu spa srl sro ug ulc
"""
LEGAL_FORMS = frozenset(_LEGAL_FORMS.split())
"""Words that say how a company is constituted, not what it is called."""


def normal_form(name: str | None) -> str | None:
    """Return the name's words without legal forms at the end, or None when it has no letters or digits."""
    if name is None:
        return None
    words = text.words(_joined(name)).split(" ")
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    while len(words) > 1 and words[-1] in LEGAL_FORMS:
        words = words[:-2] if len(words) > 2 and words[-2] == "and" else words[:-1]  # noqa: PLR2004  "… and co"
    return " ".join(words) or None


def normal_form_sql(column: str) -> str:
    """Return the SQL of :func:`normal_form`."""
    words = text.words_sql(f"replace(replace({column}, '&', ' and '), '.', '')")
    headless = rf"regexp_replace({words}, '^the (.)', '\1')"
    forms = "|".join(sorted(LEGAL_FORMS))
    return f"nullif(regexp_replace({headless}, '(.)(?: (?:and )?(?:{forms}))+$', '\\1'), '')"


def _joined(name: str) -> str:
    """``S.A.`` is one word and ``&`` is the word it stands for."""
    return name.replace("&", " and ").replace(".", "")
