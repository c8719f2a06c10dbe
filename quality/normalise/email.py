"""E-mail addresses: the clean spelling we store, and the normal form under which two spellings are one mailbox.

The clean spelling (:func:`clean`) keeps dots and plus-tags, because it is what mail is sent to. The normal form
(:func:`normal_form`) drops what the mailbox's provider ignores, and nothing at providers we know nothing of.
"""

from __future__ import annotations

import re

from quality.normalise import text

LONGEST = 254

_NEVER = r"\x00-\x20\x7f" + "-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff@"
_LOCAL = rf'[^{_NEVER}"(),:;<>\[\]\\A-Z.]+'
_FOREIGN = "\u00a1-\u167f\u1681-\u1fff\u2070-\u2fff\u3001-\ufefe"
_WORD = f"[a-z0-9{_FOREIGN}]"
_LABEL = f"{_WORD}(?:(?:{_WORD}|[_-])*{_WORD})?"
PATTERN = rf"^{_LOCAL}(?:\.{_LOCAL})*@(?:{_LABEL}\.)+(?:[a-z{_FOREIGN}]{{2,}}|xn--[a-z0-9-]+)$"
"""A clean address. Stricter than RFC 5322 (no quoted local parts, no address literals), as mail really is."""

_SHAPE = re.compile(PATTERN.removesuffix("$") + r"\Z")

_DOTS_IGNORED = ("gmail.com",)
_TAGS_IGNORED = (
    *_DOTS_IGNORED,
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "fastmail.com",
    "proton.me",
    "protonmail.com",
    "pm.me",
    "zoho.com",
    "hey.com",
)
_SAME_PROVIDER = {"googlemail.com": "gmail.com"}
"""Other names of hosts, each of which ignores something."""


def clean(value: str | None) -> str | None:
    """Return the address trimmed and in lower case, or None when it is not an address."""
    if value is None:
        return None
    address = text.lower(text.trim(value))
    return address if len(address) <= LONGEST and _SHAPE.match(address) else None


def clean_sql(column: str) -> str:
    """Return the SQL of :func:`clean`."""
    address = text.lower_sql(text.trim_sql(column))
    return (
        f"CASE WHEN length({address}) <= {LONGEST} AND regexp_matches({address}, {text.literal(PATTERN)})"
        f" THEN {address} END"
    )


def normal_form(address: str | None) -> str | None:
    """Return the mailbox a clean address delivers to: without the dots and plus-tag its provider ignores."""
    if address is None or address.count("@") != 1:
        return address
    local, host = address.split("@")
    host = _SAME_PROVIDER.get(host, host)
    bare = local.split("+")[0] if host in _TAGS_IGNORED else local
    if host in _DOTS_IGNORED:
        bare = bare.replace(".", "")
    return f"{bare or local}@{host}"


def normal_form_sql(column: str) -> str:
    """Return the SQL of :func:`normal_form`."""
    local, host = f"split_part({column}, '@', 1)", f"split_part({column}, '@', 2)"
    tagless = f"split_part({local}, '+', 1)"
    bare = f"CASE WHEN {_is_at(column, _DOTS_IGNORED)} THEN replace({tagless}, '.', '') ELSE {tagless} END"
    names = "".join(f" WHEN {text.literal(alias)} THEN {text.literal(name)}" for alias, name in _SAME_PROVIDER.items())
    mailbox = f"coalesce(nullif({bare}, ''), {local}) || '@' || CASE {host}{names} ELSE {host} END"
    # Most addresses are at hosts nothing is known of and stay as they are: they pay for one look, which is a pattern
    # because DuckDB makes a join of every IN list and computes what it compares once per list.
    return f"CASE WHEN {_is_at(column, _TAGS_IGNORED)} THEN {mailbox} ELSE {column} END"


def _is_at(column: str, hosts: tuple[str, ...]) -> str:
    """Return SQL that tells whether an address has one @ and after it one of some hosts or of their other names."""
    aliases = tuple(alias for alias, name in _SAME_PROVIDER.items() if name in hosts)
    return f"regexp_matches({column}, {text.literal(f'^[^@]*@(?:{text.any_of((*hosts, *aliases))})$')})"
