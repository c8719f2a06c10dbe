"""Which tests run in one process when several run the suite: those that share what takes seconds to make.

A file's tests stay together, for its fixtures are made once per process; so do those of a folder that shares more than
a file does, and all checks of one connector. pytest-xdist's own groups do not work with pytest 9: it marks them in an
attribute that is no longer read.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

_SHARED = ("tests/integration/erasure/", "tests/integration/postgres_warehouse/")
_OF_CONNECTOR = re.compile(r"tests/contract/test_conformance\.py::.*\[([a-z0-9]+)")


class TogetherScheduling(LoadScopeScheduling):
    """Hands out whole files, folders and connectors, in the order they come."""

    def _split_scope(self, nodeid: str) -> str:
        of_connector = _OF_CONNECTOR.match(nodeid)
        if of_connector:
            return f"connector {of_connector[1]}"
        folder = next((each for each in _SHARED if nodeid.startswith(each)), None)
        return folder or nodeid.split("::", 1)[0]
