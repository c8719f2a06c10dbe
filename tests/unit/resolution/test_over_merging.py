"""No trap of :mod:`tests.unit.resolution.traps` makes one person of two, and what can be known in it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import warehouses
from tests.unit.resolution.tenant import open_tenant
from tests.unit.resolution.traps import CRM, EXPORT, TRAPS, Trap

if TYPE_CHECKING:
    from pathlib import Path

Groups = dict[str, str]  # golden id by external id


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def grouped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Groups:
    """All traps in one tenant, resolved in two steps, so that what comes later is weighed too."""
    home: Path = tmp_path_factory.mktemp("traps")
    with open_tenant(home, warehouse_url=warehouses.address(request.param)) as tenant:
        for turn in (0, 1):
            with tenant.together():
                for trap in TRAPS:
                    for account, fields in trap.accounts if turn else ():
                        tenant.account(CRM, account, **fields)
                        tenant.account(EXPORT, account, **fields)
                    for place, (_, source, fields) in enumerate(trap.people):
                        if place % 2 == turn:
                            tenant.person(source, trap.id_of(place), **fields)
            tenant.resolve()
        return dict(tenant.warehouse.rows("SELECT external_id, person_id FROM golden.person_link"))


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_nobody_is_made_one_with_another(grouped: Groups, trap: Trap) -> None:
    really: dict[str, set[str]] = {}
    for place, (who, _, _) in enumerate(trap.people):
        really.setdefault(grouped[trap.id_of(place)], set()).add(who)
    assert all(len(people) == 1 for people in really.values()), really
    strangers = {group for external_id, group in grouped.items() if not external_id.startswith(trap.name)}
    assert not strangers & set(really)


@pytest.mark.parametrize("trap", [trap for trap in TRAPS if trap.known], ids=lambda trap: trap.name)
def test_what_can_be_known_is_known(grouped: Groups, trap: Trap) -> None:
    for places in trap.known:
        assert len({grouped[trap.id_of(place)] for place in places}) == 1
