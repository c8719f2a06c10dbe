"""Where a database may be: judged on the address that is dialled, all of them, and never on the name."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import Retry, Stop
from connectors.runtime.databases.addresses import judged, may_be_dialled

_PUBLIC = "8.8.8.8"


def resolver(*addresses: str) -> Any:
    return lambda *_, **__: [(2, 1, 6, "", (address, 5432)) for address in addresses]


@pytest.mark.parametrize(
    ("address", "public_only", "with_leave"),
    [
        (_PUBLIC, True, True),
        ("10.1.2.3", False, True),
        ("192.168.1.5", False, True),
        ("127.0.0.1", False, True),
        ("100.64.0.7", False, True),
        ("::1", False, True),
        ("fd00::5", False, True),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("0.0.0.0", False, False),  # noqa: S104  an address to refuse
        ("224.0.0.1", False, False),
        ("::ffff:10.0.0.1", False, True),
        ("::ffff:169.254.169.254", False, False),
        ("not an address", False, False),
    ],
)
def test_leave_opens_private_addresses_and_not_those_of_metadata(
    address: str, *, public_only: bool, with_leave: bool
) -> None:
    assert may_be_dialled(address, private=False) is public_only
    assert may_be_dialled(address, private=True) is with_leave


def test_a_public_name_with_one_private_address_is_refused_and_none_is_revealed() -> None:
    with pytest.raises(Stop) as caught:
        judged("db.example.com", 5432, private=False, resolver=resolver(_PUBLIC, "10.0.0.9"))
    assert caught.value.code == "egress_refused"
    assert "10.0.0.9" not in str(caught.value)


def test_the_address_that_was_judged_is_the_one_to_dial() -> None:
    assert judged("db.example.com", 5432, private=False, resolver=resolver(_PUBLIC)) == _PUBLIC


def test_a_name_nobody_knows_is_tried_again_later() -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise OSError

    with pytest.raises(Retry):
        judged("db.example.com", 5432, private=False, resolver=unknown)
    with pytest.raises(Stop):
        judged("db.example.com", 5432, private=True, resolver=resolver())
