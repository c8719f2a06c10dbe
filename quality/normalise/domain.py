"""Domains: the registrable domain of a site, host or address, and which domains are free mail and so say nothing.

Public suffixes come from the list bundled with tldextract; the network is never asked. SQL decides the plain case (a
host under a suffix that has no others below it, or few) and leaves the rest to :func:`registrable`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import idna

from quality.normalise import text

if TYPE_CHECKING:
    from tldextract import TLDExtract

LONGEST = 253  # characters of a DNS name
PATTERN = r"^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+(?:[a-z]{2,}|xn--[a-z0-9-]+)$"
"""A host in ASCII lower case with at least two labels."""

FLAT_SUFFIXES = (
    *("agency", "app", "biz", "ch", "cloud", "com", "de", "dev", "dk", "eu", "info", "net", "nl", "online", "org"),
    *("tech", "tv", "xyz", "co.nz", "co.uk", "com.au", "com.br", "org.uk"),
)
"""Suffixes without suffixes of their own below them in the public suffix list's ICANN part."""

SPLIT_SUFFIXES = {
    "ai": ("com", "net", "off", "org"),
    "co": ("com", "edu", "gov", "mil", "net", "nom", "org"),
    "io": ("co", "com", "edu", "gov", "mil", "net", "nom", "org"),
}
"""Suffixes that have a few suffixes below them, and which: ``com.ai`` looks like a company's domain and is none."""

_FREE_MAIL = """
126.com 163.com aol.com att.net bigpond.com bluewin.ch bt.com btinternet.com comcast.net cox.net duck.com email.com
fastmail.com fastmail.fm foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com
hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it hushmail.com icloud.com inbox.com
laposte.net libero.it live.co.uk live.com live.fr live.nl mac.com mail.com mail.ru me.com msn.com naver.com orange.fr
outlook.com outlook.de outlook.es outlook.fr pm.me posteo.de proton.me protonmail.ch protonmail.com qq.com
rediffmail.com rocketmail.com sbcglobal.net seznam.cz sfr.fr shaw.ca sky.com t-online.de tuta.io tutanota.com
tutanota.de verizon.net virgilio.it wanadoo.fr web.de wp.pl yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com
yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ymail.com zoho.com
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())
"""Mail hosts anyone can have an address at: such a domain never tells the company."""


def registrable(value: str | None) -> str | None:
    """Return the registrable domain of a URL, host or e-mail address in ASCII lower case, or None."""
    if value is None:
        return None
    given = text.lower(text.trim(value))
    if not given or any(character in given for character in " \t\n\r"):
        return None
    found = _suffixes().extract_str(given)
    return _ascii(f"{found.domain}.{found.suffix}") if found.domain and found.suffix else None


def registrable_sql(column: str) -> str:
    """Return the SQL of :func:`registrable` for the plain case; null where the function must decide."""
    ends = "|".join(suffix.replace(".", r"\.") for suffix in (*FLAT_SUFFIXES, *SPLIT_SUFFIXES))
    below = ", ".join(text.literal(f"{name}.{end}") for end, names in SPLIT_SUFFIXES.items() for name in names)
    label = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
    shape = rf"^(?:https?://)?(?:{label}\.)*?({label}\.(?:{ends}))(?:[/?#]\S*)?$"
    given = text.lower_sql(text.trim_sql(column))
    found = f"nullif(regexp_extract({given}, {text.literal(shape)}, 1), '')"
    return f"list_filter([{found}], lambda name: name NOT IN ({below}))[1]"  # a CASE would compute ``found`` twice


def is_free_mail(domain: str | None) -> bool:
    """Tell whether a registrable domain is one anyone can have an address at."""
    return domain in FREE_MAIL


def company_domain(domain: str | None) -> str | None:
    """Return the domain when it can tell a company, None for free mail."""
    return None if is_free_mail(domain) else domain


def company_domain_sql(column: str) -> str:
    """Return the SQL of :func:`company_domain`."""
    listed = ", ".join(text.literal(name) for name in sorted(FREE_MAIL))
    return f"CASE WHEN {column} NOT IN ({listed}) THEN {column} END"


@cache
def _suffixes() -> TLDExtract:
    """Return the extractor over the bundled list; loading takes a tenth of a second, so it is done once and late."""
    from tldextract import TLDExtract

    return TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True)


def _ascii(domain: str) -> str | None:
    try:
        encoded = idna.encode(domain, uts46=True).decode("ascii") if not domain.isascii() else domain
    except idna.IDNAError:
        return None
    return encoded if len(encoded) <= LONGEST and _is_host(encoded) else None


def _is_host(encoded: str) -> bool:
    return re.fullmatch(PATTERN, encoded) is not None
