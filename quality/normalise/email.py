"""E-mail addresses: what counts as one, and the normal form under which two spellings are one mailbox.

An address is stored trimmed and in lower case, with its dots and plus-tags, because it is what mail is sent to. Its
normal form (:func:`normal_form`) drops what the mailbox's provider ignores, and nothing where the provider is unknown.
"""

from __future__ import annotations

from quality.normalise import text

LONGEST = 254  # characters

_NEVER = r"\x00-\x20\x7f" + "-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff@"
_LOCAL = rf'[^{_NEVER}"(),:;<>\[\]\\A-Z.]+'
_FOREIGN = "\u00a1-\u167f\u1681-\u1fff\u2070-\u2fff\u3001-\ufefe"
_WORD = f"[a-z0-9{_FOREIGN}]"
_LABEL = f"{_WORD}(?:(?:{_WORD}|[_-])*{_WORD})?"
PATTERN = rf"^{_LOCAL}(?:\.{_LOCAL})*@(?:{_LABEL}\.)+(?:[a-z{_FOREIGN}]{{2,}}|xn--[a-z0-9-]+)$"
"""An address as it is stored. Stricter than RFC 5322, as mail really is: no quoted local parts, no address literals."""

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
"""Second names of hosts: mail to either reaches one mailbox. The main name must be in ``_TAGS_IGNORED``."""


def normal_form(address: str | None) -> str | None:
    """Return the mailbox a stored address delivers to: without the dots and plus-tag its provider ignores."""
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
    # Most addresses are at other hosts and stay as they are, for the price of one comparison. It is a pattern and not
    # IN (…), because DuckDB makes a join of every such list and computes the compared value anew for each.
    return f"CASE WHEN {_is_at(column, _TAGS_IGNORED)} THEN {mailbox} ELSE {column} END"


def _is_at(column: str, hosts: tuple[str, ...]) -> str:
    """Return SQL that tells whether an address has one @ and after it one of some hosts or of their other names."""
    aliases = tuple(alias for alias, name in _SAME_PROVIDER.items() if name in hosts)
    return f"regexp_matches({column}, {text.literal(f'^[^@]*@(?:{text.any_of((*hosts, *aliases))})$')})"
