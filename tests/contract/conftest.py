"""One process judges all of one connector, so that its vendor is started once and not in every process."""

from __future__ import annotations

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Group the checks of one connector; tests of no connector go where there is room.

    As each is collected: when all are, it is too late, for that is when groups are read.
    """
    call = getattr(item, "callspec", None)
    if call is not None and "connector_id" in call.params:
        item.add_marker(pytest.mark.xdist_group(str(call.params["connector_id"])))
