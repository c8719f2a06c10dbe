"""Where a database may be: judged on the address that is dialled, all of them, and never on the name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.errors import Retry, Stop
from connectors.runtime.databases.addresses import judged, judged_file, may_be_dialled
from connectors.runtime.private_databases import PrivateDatabases

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
        judged("db.example.com", 5432, private=PrivateDatabases(), resolver=resolver(_PUBLIC, "10.0.0.9"))
    assert caught.value.code == "egress_refused"
    assert "10.0.0.9" not in str(caught.value)


def test_the_address_that_was_judged_is_the_one_to_dial() -> None:
    assert judged("db.example.com", 5432, private=PrivateDatabases(), resolver=resolver(_PUBLIC)) == _PUBLIC


def test_a_name_nobody_knows_is_tried_again_later() -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise OSError

    with pytest.raises(Retry):
        judged("db.example.com", 5432, private=PrivateDatabases(), resolver=unknown)
    with pytest.raises(Stop):
        judged("db.example.com", 5432, private=PrivateDatabases(("10.0.0.0/8",)), resolver=resolver())


@pytest.mark.parametrize(
    ("entry", "host", "port", "is_allowed"),
    [
        ("db.corp", "DB.corp", 5432, True),
        ("db.corp", "evil.example.com", 5432, False),
        ("db.corp:5432", "db.corp", 5432, True),
        ("db.corp:5432", "db.corp", 3306, False),
        ("10.0.0.9:5432", "db.corp", 5432, True),
        ("10.0.0.0/24", "whatever.example.com", 1, True),
        ("10.0.1.0/24", "db.corp", 5432, False),
        ("/srv", "db.corp", 5432, False),
    ],
)
def test_a_private_place_is_dialled_only_when_the_operator_names_it(
    entry: str, host: str, port: int, *, is_allowed: bool
) -> None:
    private = PrivateDatabases((entry,))
    if is_allowed:
        assert judged(host, port, private=private, resolver=resolver("10.0.0.9")) == "10.0.0.9"
    else:
        with pytest.raises(Stop, match="GTM_PRIVATE_DATABASES"):
            judged(host, port, private=private, resolver=resolver("10.0.0.9"))


@pytest.mark.parametrize(
    ("allowed", "path", "is_opened"),
    [
        ("srv", "srv/crm.db", True),
        ("srv", "srv/../other/crm.db", False),
        ("srv", "srv/link.db", False),
        ("srv", "srv-not/crm.db", False),
        (".", "home/control.db", False),
        ("home", "home/control.db", False),
        ("home/sandbox/../..", "home/control.db", False),
        (".", "home/sandbox/acme/crm.db", False),
        ("srv", "home/sandbox/acme/crm.db", False),
        ("home/sandbox", "home/sandbox/acme/crm.db", True),
        ("home/sandbox", "home/sandbox/../control.db", False),
        ("home/sandbox", "home/sandbox/acme/link.db", False),
    ],
)
def test_a_file_is_opened_below_a_named_folder_only_and_the_homes_own_never(
    tmp_path: Path, allowed: str, path: str, *, is_opened: bool
) -> None:
    for folder in ("srv", "home/sandbox/acme"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "link.db").symlink_to(tmp_path / "home/control.db")
    (tmp_path / "home/control.db").touch()
    private = PrivateDatabases((f"{tmp_path}/{allowed}",), tmp_path / "home", tmp_path / "home/sandbox")
    if is_opened:
        assert judged_file(tmp_path / path, private=private) == tmp_path / path
    else:
        with pytest.raises(Stop, match="GTM_PRIVATE_DATABASES"):
            judged_file(tmp_path / path, private=private)
