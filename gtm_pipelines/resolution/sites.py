"""Which golden account a mail domain belongs to: looked up for the domains a resolution meets, and for no others.

``match_domain`` says it as things stand; of the domains whose accounts may change it also says it as things stood. When
everything is looked at, it is made of all domains at once, and nothing here is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.resolution import slices

if TYPE_CHECKING:
    from gtm_pipelines.resolution.statements import Statements

_HOSTS = r"""
SELECT unnest([host, regexp_replace(host, '^[^.]+\.', ''), regexp_replace(host, '^[^.]+\.[^.]+\.', '')])
FROM (SELECT MAIL_DOMAIN AS host FROM canonical.person SEMI JOIN {relation} USING (source, external_id))
WHERE host IS NOT NULL
"""


def begin(statements: Statements) -> None:
    """Forget every domain."""
    statements.run("domain_start")


def of_changed(statements: Statements) -> None:
    """Look up the domains that changed accounts had or have: after ``touch_before``, before the keys are swapped."""
    if statements.words["KIND"] == "account":
        _look_up(statements, "SELECT value FROM match_touched WHERE rule = 'domain'")


def of_affected(statements: Statements) -> None:
    """Look up the domains of all accounts that are looked at: before any of them is linked anew."""
    if statements.words["KIND"] == "account":
        _look_up(
            statements,
            "SELECT value FROM golden.account_key SEMI JOIN match_affected USING (source, external_id)"
            " WHERE rule = 'domain'",
        )


def of_people(statements: Statements, relation: str) -> None:
    """Look up the domains of some people's mail, before ``record_person``."""
    if statements.words["KIND"] == "person":
        _look_up(statements, _HOSTS.format(relation=relation))


def again(statements: Statements) -> None:
    """Say it as things stand now, and as ``match_domain_before`` what was said until then."""
    statements.run("domain_again")
    statements.run("domain")


def _look_up(statements: Statements, domains: str) -> None:
    statements.execute(
        "CREATE OR REPLACE TEMP TABLE match_sought AS"
        f" SELECT DISTINCT domain FROM ({domains}) t(domain) ANTI JOIN match_site USING (domain)",
        "domain",
    )
    if statements.count("match_sought"):
        slices.domains(statements)
        statements.run("domain")
