"""One running sandbox for all vendor tests, and a fresh world for those that let its time pass."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gtm_pipelines import sandbox
from gtm_pipelines.sandbox.vendors import vendors
from tests.contract.sandboxed import Sandboxed
from tests.worlds import put_world

SIZE = 600
_tenants = itertools.count(1)


@pytest.fixture(scope="module")
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Serve a world known to the vendor that the test file is named after, and to no other: each takes its time."""
    file = request.module.__name__.rpartition(".")[2]
    directory = tmp_path_factory.mktemp("sandbox")
    named = [name for name in vendors() if file.removeprefix("test_").split("_")[0] == name]
    put_world(directory, "still", size=SIZE, seed=7, vendors=named)
    with sandbox.running(directory) as url:
        yield directory, url


@pytest.fixture
def new_world(cloud: tuple[Path, str]) -> Callable[[str], Sandboxed]:
    """Make a world of its own for a test that changes it."""

    def made(connector: str, size: int = 200) -> Sandboxed:
        directory, url = cloud
        tenant = f"moving_{next(_tenants)}"
        put_world(directory, tenant, size=size, seed=11, vendors=[connector])
        return Sandboxed(url, tenant, connector)

    return made
