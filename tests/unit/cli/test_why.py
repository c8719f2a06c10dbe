"""Who is meant when somebody is asked about: by id, by any address of theirs, by any record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.why import find_person_id
from tests.unit.resolution.tenant import Tenant, open_tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANN = {"first_name": "Ann", "last_name": "Lee", "phone": "+13025550003"}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """Ann, of two records with an address each, and two people of whom a deleted record of each had one address."""
    home: Path = tmp_path_factory.mktemp("known")
    with open_tenant(home) as tenant:
        tenant.person("crm", "a1", email="ann@acme.com", **ANN)
        tenant.person("mail", "a2", email="ann.lee@gmail.com", **ANN)
        for number in ("1", "2"):
            phone = f"+1302555010{number}"
            tenant.person("crm", f"b{number}", email="info@acme.com", first_name=number, phone=phone, is_deleted=True)
        tenant.resolve()
        yield tenant


@pytest.mark.parametrize("asked", ["ann@acme.com", "Ann.Lee@gmail.com", "mail:a2", "a2"])
def test_a_person_is_found_by_any_address_or_record(asked: str, known: Tenant) -> None:
    assert known.id_of("a1") == known.id_of("a2")
    assert find_person_id(known.warehouse.served, asked) == known.id_of("a1")


def test_an_id_is_taken_as_it_is(known: Tenant) -> None:
    assert find_person_id(known.warehouse.served, known.id_of("b1")) == known.id_of("b1")


def test_what_several_people_have_is_answered_with_their_ids(known: Tenant) -> None:
    with pytest.raises(UsageError, match="several golden people") as refused:
        find_person_id(known.warehouse.served, "info@acme.com")
    assert all(known.id_of(record) in str(refused.value) for record in ("b1", "b2"))


@pytest.mark.parametrize(
    ("asked", "said"), [("x@nowhere.example", "no golden person has the address"), ("acc_1", "acc_1 is a company")]
)
def test_who_is_nobody_is_told_so(asked: str, said: str, known: Tenant) -> None:
    with pytest.raises(UsageError, match=said):
        find_person_id(known.warehouse.served, asked)
