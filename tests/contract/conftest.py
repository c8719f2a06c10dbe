"""One process judges all of one connector, so that its vendor is started once and not in every process."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the checks of one connector; tests of no connector go where there is room."""
    for item in items:
        call = getattr(item, "callspec", None)
        if call is not None and "connector_id" in call.params:
            item.add_marker(pytest.mark.xdist_group(str(call.params["connector_id"])))
