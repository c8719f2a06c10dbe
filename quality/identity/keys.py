"""The keys of a record as SQL over canonical rows, and what makes a group of records contradict itself.

Reads the relation ``match_record``: canonical columns plus ``node`` (a number), and for people ``employer``, the
company name they state, ``account_id``, the golden account resolved beforehand, and ``basis``, what it was resolved by.
A key is a rule, a value, a qualifier and whether it is carried loosely (:mod:`quality.identity.rules`). The value is
exact: spellings are folded only where they mean the same by the provider's or the numbering plan's own rules.
Look-alike letters are never folded, so a confusable address stays another address.

Loose is what was read off something else: the mailbox that is left of an address without its plus-tag, where nobody
knows whether the host ignores it; a name that only the mailbox spells; an account found by the company's name alone.
"""

from __future__ import annotations

from string import Template

from quality.identity import guards
from quality.identity.nicknames import FULL_NAMES
from quality.normalise import company, domain, email, person, phone
from quality.normalise.text import any_of, literal

_SHORTEST_TYPO = 5
NAMED_COMPANY = 2
"""The ``basis`` of an account that was found by the company's name; a stated one has 0, one of the mail domain 1."""

_PREPARED_PERSON = """
WITH folded AS (
    SELECT node, source, connector, external_id, account_id, basis, employer, _merged_into, _references, phone, email,
           $mailbox AS address, split_part($first, ' ', 1) AS first, $last AS last
    FROM match_record
)
SELECT f.* EXCLUDE (address), CASE WHEN NOT regexp_matches(address, $nobodys) THEN address END AS mailbox,
       CASE WHEN first NOT IN ($nobody) AND last NOT IN ($nobody)
            THEN coalesce(n.full_name, first) || '|' || last END AS name
FROM folded f LEFT JOIN (VALUES $nicknames) n(short, full_name) ON n.short = f.first
"""

# A mailbox that is two words spells a name. It is asked where the record's own name is not in it, and believed where
# that is incomplete and does not say otherwise, or one letter apart. Few get as far as being taken apart.
_SPELLED = """
WITH word AS (
    SELECT *, CASE WHEN CASE WHEN first IS NULL OR last IS NULL THEN true
                             WHEN contains(email, first) THEN NOT contains(email, last)
                             ELSE contains(email, '.' || last) OR contains(email, '_' || last) END
                   THEN regexp_extract(email, $spelling, ['first', 'last']) END AS said
    FROM prepared
)
SELECT w.*, coalesce(n.full_name, said['first']) || '|' || said['last'] AS spelled
FROM word w LEFT JOIN (VALUES $nicknames) n(short, full_name) ON n.short = w.said['first']
WHERE said['last'] NOT IN ($nobody) AND said['first'] NOT IN ($roles) AND said['last'] NOT IN ($roles)
  AND CASE WHEN first IS NULL OR last IS NULL
           THEN coalesce(first = said['first'], true) AND coalesce(last = said['last'], true)
           ELSE match_alike(first, last, said['first'], said['last']) END
"""

_PERSON_KEYS = """
SELECT node, source, external_id, 'email' AS rule, mailbox AS value, name AS qualifier, false AS is_loose
FROM prepared WHERE mailbox IS NOT NULL
UNION ALL
SELECT node, source, external_id, 'email', $untagged, name, true FROM prepared
WHERE contains(mailbox, '+') AND NOT starts_with(mailbox, '+')
UNION ALL
SELECT node, source, external_id, 'phone', phone, name, false FROM prepared
WHERE regexp_matches(phone, $number) AND name IS NOT NULL
UNION ALL
SELECT node, source, external_id, 'phone', phone, spelled, true FROM spelled WHERE regexp_matches(phone, $number)
UNION ALL
SELECT node, source, external_id, 'name_account', name || '|' || account_id,
       coalesce($untagged, source || ':' || external_id), basis = $named_company
FROM prepared WHERE name IS NOT NULL AND account_id IS NOT NULL
UNION ALL
SELECT node, source, external_id, 'name_account', spelled || '|' || account_id, $untagged, true
FROM spelled WHERE account_id IS NOT NULL
UNION ALL
SELECT node, source, external_id, 'employer', employer, NULL, false FROM prepared WHERE employer IS NOT NULL
"""

_PREPARED_ACCOUNT = """
SELECT node, source, connector, external_id, _merged_into, _references, $site AS site, $company AS company
FROM match_record
"""

_ACCOUNT_KEYS = """
SELECT node, source, external_id, 'domain' AS rule, site AS value, company AS qualifier, false AS is_loose FROM prepared
WHERE site IS NOT NULL AND site NOT IN ($shared)
UNION ALL
SELECT node, source, external_id, 'name', company, NULL, false FROM prepared
WHERE length(company) > 1 AND company NOT IN ($nocompany)
"""

# A reference is scoped to the connection it comes from when it names its own connector, and to any connection of the
# named connector otherwise. The record named carries the same key (`match_named` holds the values anyone refers to),
# with its source as qualifier: a reference found in two sources is ambiguous and joins nobody.
_REFERENCES = """
UNION ALL
SELECT * FROM (
    SELECT node, source, external_id, 'merged', source || ':' || _merged_into, NULL, false FROM prepared
    WHERE _merged_into IS NOT NULL
    UNION
    SELECT node, source, external_id, 'merged', source || ':' || external_id, NULL, false FROM prepared
    WHERE source || ':' || external_id IN (SELECT value FROM match_named WHERE rule = 'merged')
    UNION
    SELECT node, source, external_id, 'reference',
           CASE WHEN starts_with(ref, connector || ':') THEN source || '=' || ref ELSE ref END, NULL, false
    FROM (SELECT *, unnest(CAST(_references AS VARCHAR[])) AS ref FROM prepared WHERE _references IS NOT NULL)
    UNION
    SELECT node, source, external_id, 'reference', own.value, source, false
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
    """Return the SELECT of (node, source, external_id, rule, value, qualifier, is_loose) over ``match_record``."""
    if kind == "person":
        prepared, keys = f"{_PREPARED_PERSON}), spelled AS MATERIALIZED ({_SPELLED}", _PERSON_KEYS
    else:
        prepared, keys = _PREPARED_ACCOUNT, _ACCOUNT_KEYS
    text = f"WITH prepared AS MATERIALIZED ({prepared}) {keys} {_REFERENCES}"
    return Template(text).substitute(_expressions())


def named() -> str:
    """Return the SELECT of (rule, value) of every record that ``match_record`` refers to."""
    return _NAMED


def contradictions(kind: str) -> str:
    """Return the SELECT of (node, scope, value) over ``match_key``: a weak group holds one value per scope at most."""
    text = _PERSON_CONTRADICTIONS if kind == "person" else _ACCOUNT_CONTRADICTIONS
    return Template(text).substitute(_expressions())


def alike() -> str:
    """Return the macro ``match_alike``: one part of two names is equal, the other one letter apart and never short."""
    parts = ("first", "last"), ("last", "first")
    tests = (
        f"({same}_a = {same}_b AND least(length({other}_a), length({other}_b)) >= {_SHORTEST_TYPO}"
        f" AND damerau_levenshtein({other}_a, {other}_b) = 1)"
        for same, other in parts
    )
    return f"CREATE OR REPLACE TEMP MACRO match_alike(first_a, last_a, first_b, last_b) AS {' OR '.join(tests)}"


def mail_domain(column: str) -> str:
    """Return the expression of the domain of a mail address as it stands in canonical."""
    return Template("nullif(lower(split_part($column, '@', 2)), '')").substitute(column=column)


def states_employer(properties: str) -> str:
    """Return the condition of rows that :func:`employer` may read something of: a look at the text, without parsing."""
    return f"contains(CAST({properties} AS VARCHAR), '\"company\"')"


def employer(properties: str) -> str:
    """Return the expression of the company a person states by name, which mappings keep as the property ``company``."""
    stated = company.normal_form_sql(f"json_extract_string({properties}, '$.company')")
    return f"CASE WHEN json_type({properties}, '$.company') = 'VARCHAR' THEN {stated} END"


_NOBODYS_MAILBOX = (
    f"^(?:(?:{any_of(guards.ROLE_MAILBOXES)})(?:[+@]|$)|[^@]*@(?:{any_of(guards.PLACEHOLDER_DOMAINS)})(?:@|$))"
)
"""Mailboxes of a role, tagged or not, and at hosts that stand for no address."""

_SPELLING = "^([a-z]{2,})[._]([a-z]{2,})[0-9]*(?:[+][^@]*)?@"
"""An address whose local part is two words: a given and a family name, which hardly anyone writes the other way."""


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
        "spelling": literal(_SPELLING),
        "roles": _words(guards.ROLE_MAILBOXES),
        "untagged": "CASE WHEN contains(mailbox, '+')"
        " THEN split_part(mailbox, '+', 1) || '@' || split_part(mailbox, '@', 2) ELSE mailbox END",
        "named_company": str(NAMED_COMPANY),
        "nobody": _words(guards.PLACEHOLDER_NAMES),
        "nocompany": _words(guards.PLACEHOLDER_COMPANIES),
        "shared": _words(guards.SHARED_HOSTS),
        "freemail": _words(domain.FREE_MAIL),
        "nicknames": ", ".join(f"({literal(short)}, {literal(full)})" for short, full in sorted(FULL_NAMES.items())),
    }


def _words(words: frozenset[str]) -> str:
    return ", ".join(literal(word) for word in sorted(words))
