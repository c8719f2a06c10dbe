"""Which stored rows the statements of a resolution read: asked for before they run.

Where rows are stored and computed in one place, asking costs nothing. What is asked for may be too much; a row that is
read and was not asked for would be missed. Each function names the files of ``sql/golden`` it goes before. When
everything is looked at, nobody asks: every table then comes whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quality.identity.keys import mail_domain

if TYPE_CHECKING:
    from gtm_pipelines.resolution.statements import Statements

_RECORD = ("source", "external_id")
_KEY = ("rule", "value")


def homes(statements: Statements) -> None:
    """Before ``home``: who has the sought domains and names, and what account each is."""
    statements.fetch("golden.account_key", on=_KEY, keys="SELECT rule, value FROM match_sought")
    owners = "SELECT source, external_id FROM golden.account_key SEMI JOIN match_sought USING (rule, value)"
    statements.fetch("golden.account_link", on=_RECORD, keys=owners)


def picked(statements: Statements, relation: str) -> None:
    """Before ``record_person`` and ``record_account``: the canonical rows, and the accounts they state."""
    statements.fetch("canonical.KIND", on=_RECORD, keys=f"SELECT source, external_id FROM {relation}")
    if statements.words["KIND"] == "person":
        stated = (
            f"SELECT source, account_external_id FROM canonical.person SEMI JOIN {relation} USING (source, external_id)"
        )
        statements.fetch("golden.account_link", on=_RECORD, keys=stated)


def referred(statements: Statements) -> None:
    """Before ``change_named``: the canonical rows that the picked ones refer to."""
    external_id = "substr(value, strpos(value, ':') + 1)"  # what is after source: or connector:
    statements.fetch("canonical.KIND", on=["external_id"], keys=f"SELECT {external_id} FROM match_named")


def referring(statements: Statements) -> None:
    """Before ``named``: the keys by which others refer to the picked records."""
    forms = ("source", "connector", "source || '=' || connector")
    called = " UNION ".join(f"SELECT {form} || ':' || external_id FROM match_record" for form in forms)
    statements.fetch("golden.KIND_key", on=["value"], keys=called)


def touched(statements: Statements) -> None:
    """Before ``touch_before``, ``swap_keys`` and ``touch_after``: who shares a key the changed records had or have."""
    statements.fetch("golden.KIND_key", on=_RECORD, keys="SELECT source, external_id FROM match_change")
    _owners(
        statements,
        "SELECT rule, value FROM golden.KIND_key SEMI JOIN match_change USING (source, external_id)"
        " UNION SELECT rule, value FROM match_key",
    )
    statements.fetch("golden.KIND_link", on=_RECORD, keys="SELECT source, external_id FROM match_change")
    _fellows(statements)


def spread(statements: Statements) -> None:
    """Before ``spread``: who shares a key with the frontier."""
    statements.fetch("golden.KIND_key", on=_RECORD, keys="SELECT source, external_id FROM match_frontier")
    frontier = "SELECT rule, value FROM golden.KIND_key SEMI JOIN match_frontier USING (source, external_id)"
    _owners(statements, f"{frontier} EXCEPT SELECT rule, value FROM match_seen_key")


def hubs(statements: Statements) -> None:
    """Before ``hub``: all owners of the shared keys."""
    _owners(statements, "SELECT rule, value FROM match_shared")


def identities(statements: Statements) -> None:
    """Before ``identify`` and ``link``: what the looked-at records are called, and the ids that may be retired."""
    statements.fetch("golden.KIND_link", on=_RECORD, keys="SELECT source, external_id FROM match_record")
    statements.fetch("golden.KIND_identity", on=_RECORD, keys="SELECT source, external_id FROM match_record")
    held = (
        "SELECT KIND_id FROM golden.KIND_link SEMI JOIN"
        " (SELECT source, external_id FROM match_record UNION SELECT source, external_id FROM match_change)"
        " USING (source, external_id)"
    )
    statements.fetch("golden.KIND_identity", on=["KIND_id"], keys=held)
    statements.fetch("golden.KIND_identity", on=["merged_into"], keys=held)


def rows(statements: Statements) -> None:
    """Before ``write_start`` and ``write``: the golden rows that may change."""
    statements.fetch(
        "golden.KIND", on=["KIND_id"], keys="SELECT id FROM match_golden UNION SELECT id FROM match_retired"
    )


def people_of_accounts(statements: Statements) -> None:
    """Before ``change_by_account``: people who state a moved account, or whose domain or employer leads elsewhere."""
    moved = "SELECT source, external_id FROM match_moved_account"
    statements.fetch("canonical.person", on=("source", "account_external_id"), keys=moved)
    elsewhere = (
        "SELECT {} FROM match_home n FULL JOIN match_home_before b USING (rule, value)"
        " WHERE n.account_id IS DISTINCT FROM b.account_id AND rule = '{}'"
    )
    named = elsewhere.format("'employer', value", "name")
    statements.fetch("golden.person_key", on=_KEY, keys=named)
    employed = (
        f"SELECT source, external_id FROM golden.person_key SEMI JOIN ({named}) n(rule, value) USING (rule, value)"
    )
    statements.fetch("canonical.person", on=_RECORD, keys=employed)
    domain = elsewhere.format("value", "domain")
    host = mail_domain("email")
    for pattern in ("", "^[^.]+\\.", "^[^.]+\\.[^.]+\\."):
        at = f"regexp_replace({host}, '{pattern}', '')" if pattern else host
        statements.fetch("canonical.person", on=[at], keys=domain)


def activities(statements: Statements) -> None:
    """Before ``activity_change``: activities of whom or what moved."""
    moved = "SELECT source, external_id FROM match_moved_"
    statements.fetch("canonical.activity", on=("source", "person_external_id"), keys=f"{moved}person")
    statements.fetch("canonical.activity", on=("source", "account_external_id"), keys=f"{moved}account")
    statements.fetch("golden.activity", on=["person_id"], keys="SELECT id FROM match_rewritten")


def changed_activities(statements: Statements) -> None:
    """Before ``activity``: the activities to look at, and what their references lead to."""
    changed = "SELECT source, external_id FROM match_change"
    statements.fetch("canonical.activity", on=_RECORD, keys=changed)
    statements.fetch("golden.activity", on=_RECORD, keys=changed)
    theirs = "SELECT source, {} FROM canonical.activity SEMI JOIN match_change USING (source, external_id)"
    for kind in ("person", "account"):
        statements.fetch(f"golden.{kind}_link", on=_RECORD, keys=theirs.format(f"{kind}_external_id"))
    people = "SELECT person_id FROM golden.person_link"
    statements.fetch("golden.person", on=["person_id"], keys=people)


def _owners(statements: Statements, keys: str) -> None:
    statements.fetch("golden.KIND_key", on=_KEY, keys=keys)


def _fellows(statements: Statements) -> None:
    """Ask for the other records of the golden entities that the changed ones belong to."""
    ids = "SELECT DISTINCT KIND_id FROM golden.KIND_link SEMI JOIN match_change USING (source, external_id)"
    statements.fetch("golden.KIND_link", on=["KIND_id"], keys=ids)
