"""Which tenant of a run is refined first."""

import pytest

from gtm_pipelines import refresh

from .conftest import House


def test_the_tenant_with_most_connections_begins_first(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two threads the one that took it last would work alone at the end."""
    began: list[str] = []

    def noted(_: object, __: object, tenant: str, **___: object) -> None:
        began.append(tenant)
        raise RuntimeError("begun")

    monkeypatch.setattr(refresh, "refresh_tenant", noted)
    monkeypatch.setenv("GTM_TENANT_THREADS", "1")
    house.add("acme", "globex", connectors=("salesforce",))
    house.add("hooli", connectors=("salesforce", "customerio", "hubspot"))
    assert not house.run("refine", "acme", "globex", "hooli").success
    assert began == ["hooli", "acme", "globex"]
