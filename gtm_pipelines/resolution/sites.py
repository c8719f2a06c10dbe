"""Which golden account a mail domain or a company name leads to: looked up for those a resolution meets, and no others.

``match_home`` says it as things stand; of what may lead elsewhere after a change it also says it as things stood. When
everything is looked at, it is made of all domains and names at once, and nothing here is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.resolution import slices

if TYPE_CHECKING:
    from gtm_pipelines.resolution.statements import Statements

_OF_PEOPLE = r"""
SELECT 'domain', unnest([host, regexp_replace(host, '^[^.]+\.', ''), regexp_replace(host, '^[^.]+\.[^.]+\.', '')])
FROM (SELECT MAIL_DOMAIN AS host FROM canonical.person SEMI JOIN {relation} USING (source, external_id))
WHERE host IS NOT NULL
UNION ALL
SELECT 'name', EMPLOYER_NAME FROM canonical.person c SEMI JOIN {relation} USING (source, external_id)
WHERE STATES_EMPLOYER
"""
_RULES = "rule IN ('domain', 'name')"


def begin(statements: Statements) -> None:
    """Forget every domain and name."""
    statements.run("home_start")


def of_changed(statements: Statements) -> None:
    """Look up what changed accounts had or have: after ``touch_before``, before the keys are swapped."""
    if statements.words["KIND"] == "account":
        _look_up(statements, f"SELECT rule, value FROM match_touched WHERE {_RULES}")


def of_affected(statements: Statements) -> None:
    """Look up the domains and names of all accounts that are looked at: before any of them is linked anew."""
    if statements.words["KIND"] == "account":
        _look_up(
            statements,
            "SELECT rule, value FROM golden.account_key SEMI JOIN match_affected USING (source, external_id)"
            f" WHERE {_RULES}",
        )


def of_people(statements: Statements, relation: str) -> None:
    """Look up the domains of some people's mail and the companies they name, before ``record_person``."""
    if statements.words["KIND"] == "person":
        _look_up(statements, _OF_PEOPLE.format(relation=relation))


def again(statements: Statements) -> None:
    """Say it as things stand now, and as ``match_home_before`` what was said until then."""
    statements.run("home_again")
    statements.run("home")


def _look_up(statements: Statements, keys: str) -> None:
    statements.execute(
        "CREATE OR REPLACE TEMP TABLE match_sought AS SELECT DISTINCT rule, value"
        f" FROM ({keys}) t(rule, value) ANTI JOIN match_site USING (rule, value) WHERE value IS NOT NULL",
        "home",
    )
    if statements.count("match_sought"):
        slices.homes(statements)
        statements.run("home")
