"""The keys of a record as SQL over canonical rows, and what makes a group of records contradict itself.

Reads the relation ``match_record``: canonical columns plus ``node`` (a number), and for people ``account_id``, the
golden account resolved beforehand. A key is a rule, a value and a qualifier (:mod:`quality.identity.rules`). The value
is exact: spellings are folded only where they mean the same by the provider's or the numbering plan's own rules.
Look-alike letters are never folded, so a confusable address stays another address.
"""

from __future__ import annotations

from string import Template

from quality.identity import guards
from quality.identity.nicknames import FULL_NAMES
from quality.normalise import company, domain, email, person, phone
from quality.normalise.text import any_of, literal

_PREPARED_PERSON = """
WITH folded AS (
    SELECT node, source, connector, external_id, account_id, _merged_into, _references, phone, $mailbox AS mailbox,
           split_part($first, ' ', 1) AS first, $last AS last
    FROM match_record
)
SELECT f.* EXCLUDE (first, last),
       CASE WHEN first NOT IN ($nobody) AND last NOT IN ($nobody)
            THEN coalesce(n.full_name, first) || '|' || last END AS name
FROM folded f LEFT JOIN (VALUES $nicknames) n(short, full_name) ON n.short = f.first
"""

_PERSON_KEYS = """
SELECT node, source, external_id, 'email' AS rule, mailbox AS value, name AS qualifier FROM prepared
WHERE NOT regexp_matches(mailbox, $nobodys)
UNION ALL
SELECT node, source, external_id, 'phone', phone, name FROM prepared
WHERE regexp_matches(phone, $number) AND name IS NOT NULL
UNION ALL
SELECT node, source, external_id, 'name_account', name || '|' || account_id, NULL FROM prepared
WHERE name IS NOT NULL AND account_id IS NOT NULL
"""

_PREPARED_ACCOUNT = """
SELECT node, source, connector, external_id, _merged_into, _references, $site AS site, $company AS company
FROM match_record
"""

_ACCOUNT_KEYS = """
SELECT node, source, external_id, 'domain' AS rule, site AS value, company AS qualifier FROM prepared
WHERE site IS NOT NULL AND site NOT IN ($shared)
UNION ALL
SELECT node, source, external_id, 'name', company, NULL FROM prepared
WHERE length(company) > 1 AND company NOT IN ($nocompany)
"""

# A reference is scoped to the connection it comes from when it names its own connector, and to any connection of the
# named connector otherwise. The record named carries the same key (`match_named` holds the values anyone refers to),
# with its source as qualifier: a reference found in two sources is ambiguous and joins nobody.
_REFERENCES = """
UNION ALL
SELECT * FROM (
    SELECT node, source, external_id, 'merged', source || ':' || _merged_into, NULL FROM prepared
    WHERE _merged_into IS NOT NULL
    UNION
    SELECT node, source, external_id, 'merged', source || ':' || external_id, NULL FROM prepared
    WHERE source || ':' || external_id IN (SELECT value FROM match_named WHERE rule = 'merged')
    UNION
    SELECT node, source, external_id, 'reference',
           CASE WHEN starts_with(ref, connector || ':') THEN source || '=' || ref ELSE ref END, NULL
    FROM (SELECT *, unnest(CAST(_references AS VARCHAR[])) AS ref FROM prepared WHERE _references IS NOT NULL)
    UNION
    SELECT node, source, external_id, 'reference', own.value, source
    FROM (
        SELECT *, unnest([connector || ':' || external_id, source || '=' || connector || ':' || external_id]) AS value
        FROM prepared WHERE (SELECT count(*) > 0 FROM match_named WHERE rule = 'reference')
    ) own
    SEMI JOIN match_named n ON n.rule = 'reference' AND n.value = own.value
)
"""

_NAMED = """
SELECT DISTINCT 'merged' AS rule, source || ':' || _merged_into AS value FROM match_record
WHERE _merged_into IS NOT NULL
UNION
SELECT 'reference', CASE WHEN starts_with(ref, connector || ':') THEN source || '=' || ref ELSE ref END
FROM (
    SELECT source, connector, unnest(CAST(_references AS VARCHAR[])) AS ref FROM match_record
    WHERE _references IS NOT NULL
)
"""

# Two mailboxes at one company's domain are two people unless something strong says otherwise. A plus-tag makes no
# second mailbox here: whether the server ignores it is unknown, so it joins nobody, but speaks against nobody either.
_PERSON_CONTRADICTIONS = """
SELECT node, split_part(value, '@', 2) AS scope, split_part(split_part(value, '@', 1), '+', 1) AS value FROM match_key
WHERE rule = 'email' AND split_part(value, '@', 2) NOT IN ($freemail)
"""

# Two registrable domains are two companies unless something strong says otherwise.
_ACCOUNT_CONTRADICTIONS = "SELECT node, 'domain' AS scope, value FROM match_key WHERE rule = 'domain'"


def select(kind: str) -> str:
    """Return the SELECT of (node, source, external_id, rule, value, qualifier) over ``match_record``."""
    prepared, keys = (_PREPARED_PERSON, _PERSON_KEYS) if kind == "person" else (_PREPARED_ACCOUNT, _ACCOUNT_KEYS)
    text = "WITH prepared AS MATERIALIZED (" + prepared + ") " + keys + _REFERENCES
    return Template(text).substitute(_expressions())


def named() -> str:
    """Return the SELECT of (rule, value) of every record that ``match_record`` refers to."""
    return _NAMED


def contradictions(kind: str) -> str:
    """Return the SELECT of (node, scope, value) over ``match_key``: a weak group holds one value per scope at most."""
    text = _PERSON_CONTRADICTIONS if kind == "person" else _ACCOUNT_CONTRADICTIONS
    return Template(text).substitute(_expressions())


def mail_domain(column: str) -> str:
    """Return the expression of the domain of a mail address as it stands in canonical."""
    return Template("nullif(lower(split_part($column, '@', 2)), '')").substitute(column=column)


_NOBODYS_MAILBOX = (
    f"^(?:(?:{any_of(guards.ROLE_MAILBOXES)})(?:[+@]|$)|[^@]*@(?:{any_of(guards.PLACEHOLDER_DOMAINS)})(?:@|$))"
)
"""Mailboxes of a role, tagged or not, and at hosts that stand for no address."""


def _expressions() -> dict[str, str]:
    return {
        # DuckDB 2.0.0 fails to bind this form over a column that is null in every row; it never sees a null here.
        "mailbox": "nullif(" + email.normal_form_sql("coalesce(email, '')") + ", '')",
        "first": person.normal_form_sql("first_name"),
        "last": person.normal_form_sql("last_name"),
        "number": literal(phone.PATTERN),
        "site": domain.company_domain_sql("domain"),
        "company": company.normal_form_sql("name"),
        "nobodys": literal(_NOBODYS_MAILBOX),
        "nobody": _words(guards.PLACEHOLDER_NAMES),
        "nocompany": _words(guards.PLACEHOLDER_COMPANIES),
        "shared": _words(guards.SHARED_HOSTS),
        "freemail": _words(domain.FREE_MAIL),
        "nicknames": ", ".join(f"({literal(short)}, {literal(full)})" for short, full in sorted(FULL_NAMES.items())),
    }


def _words(words: frozenset[str]) -> str:
    return ", ".join(literal(word) for word in sorted(words))
