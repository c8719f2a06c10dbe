"""Every registered connector keeps the contract: being registered is being judged.

Which checks apply follows from the manifest: no credential, no refusal to test; no rate limit, no rate to keep. What a
connector is judged against is its scenario (scenario.py); what is judged is in checks.py.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from connectors import registry
from connectors.conformance import checks
from connectors.conformance.checks import Again, Read
from connectors.connector import Connector, Cursor, DeleteDetection, Entity, Mode
from tests.contract.scenario import Scenario, scenario_of

CONNECTORS = registry.ids()
ENTITIES = [(name, entity.name) for name in CONNECTORS for entity in registry.entities(name)]
INCREMENTAL = [(name, entity.name) for name in CONNECTORS for entity in registry.entities(name) if entity.cursor]
WITH_CREDENTIALS = [name for name in CONNECTORS if registry.manifest(name).auth.type != "none"]
WITH_RATE = [name for name in CONNECTORS if registry.manifest(name).rate_limit]
OVER_HTTP = [name for name in CONNECTORS if registry.manifest(name).allowed_hosts or registry.manifest(name).hosts_from]

MOST_TRIED = 5
"""Pages to resume from, evenly chosen: trying each of many would read a vendor over and over."""

_running: dict[str, Scenario] = {}
_reads: dict[tuple[Scenario, str, str], Read] = {}


@pytest.fixture(scope="module", autouse=True)
def _stop_vendors() -> Iterator[None]:
    yield
    _reads.clear()
    while _running:
        _running.popitem()[1].close()


@pytest.fixture
def scenario(connector_id: str, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The vendor of one connector, started once for all checks."""
    if connector_id not in _running:
        _running[connector_id] = scenario_of(connector_id, tmp_path_factory.mktemp(connector_id))
    return _running[connector_id]


def entity_of(connector: Connector, name: str) -> Entity:
    return next(entity for entity in connector.entities() if entity.name == name)


def read(scenario: Scenario, entity: str, cursor: Cursor | None = None, mode: Mode = Mode.INCREMENTAL) -> Read:
    return checks.read(
        scenario.connect(),
        entity,
        started_at=scenario.started_at,
        cursor=cursor,
        mode=mode,
        page_size=scenario.page_size,
    )


def again(scenario: Scenario, entity: str) -> Again:
    return lambda cursor: known(scenario, entity, cursor)


def known(scenario: Scenario, entity: str, cursor: Cursor | None = None) -> Read:
    """Return what a read from this place gave, made at most once: the vendor rests, so another would say the same.

    That it does say the same is a check of its own (:func:`checks.check_reread`), for which everything is read anew.
    """
    place = (scenario, entity, json.dumps(cursor, sort_keys=True))
    if place not in _reads:
        _reads[place] = read(scenario, entity, cursor)
    return _reads[place]


@pytest.mark.parametrize(("connector_id", "entity"), ENTITIES)
class TestReading:
    """What holds for every entity."""

    def test_a_read_ends_and_its_rows_have_the_raw_shape(self, scenario: Scenario, entity: str) -> None:
        done = known(scenario, entity)
        checks.check_ends(done)
        checks.check_rows(done)

    def test_a_full_read_is_the_vendors_truth(self, scenario: Scenario, entity: str) -> None:
        done = read(scenario, entity, mode=Mode.FULL)
        checks.check_full_read_proves_absence(done, entity_of(scenario.connect(), entity))
        checks.check_complete(done, scenario.truth(entity))

    def test_an_unchanged_vendor_reads_the_same_twice(self, scenario: Scenario, entity: str) -> None:
        checks.check_reread(known(scenario, entity), lambda cursor: read(scenario, entity, cursor))

    def test_a_cursor_is_small_json_and_never_later_than_settling_allows(self, scenario: Scenario, entity: str) -> None:
        done, described = known(scenario, entity), entity_of(scenario.connect(), entity)
        checks.check_cursors(done, described)
        checks.check_watermark(done, described, scenario.started_at)

    def test_a_page_that_breaks_off_is_a_typed_error_without_its_rows(self, scenario: Scenario, entity: str) -> None:
        whole = known(scenario, entity)
        with scenario.breaking_a_page():
            done = read(scenario, entity)
        checks.check_failure_is_said(done)
        checks.check_nothing_from_broken_page(done, whole)


@pytest.mark.parametrize(("connector_id", "entity"), INCREMENTAL)
class TestIncremental:
    """What holds for an entity with a cursor."""

    def test_every_cursor_may_be_resumed_and_loses_nothing(self, scenario: Scenario, entity: str) -> None:
        checks.check_resumable(known(scenario, entity), again(scenario, entity), most=MOST_TRIED)

    def test_cursors_move_forward(self, scenario: Scenario, entity: str) -> None:
        checks.check_forward(known(scenario, entity), again(scenario, entity), most=MOST_TRIED)

    def test_a_finished_read_is_not_repeated(self, scenario: Scenario, entity: str) -> None:
        described = entity_of(scenario.connect(), entity)
        checks.check_progress(known(scenario, entity), again(scenario, entity), described)


@pytest.mark.parametrize("connector_id", CONNECTORS)
class TestConnector:
    """What holds for a connector as a whole."""

    def test_building_makes_no_request(self, scenario: Scenario) -> None:
        before = scenario.requests()
        scenario.connect().entities()
        assert scenario.requests() == before

    def test_the_health_check_finds_the_vendor_well(self, scenario: Scenario) -> None:
        connector = scenario.connect()
        status = connector.health_check(connector.authenticate())
        assert status.ok, status.detail
        assert status.detail

    def test_the_field_catalogue_is_sound_with_and_without_the_account(self, scenario: Scenario) -> None:
        connector = scenario.connect()
        checks.check_schema(connector.get_schema(), connector.entities())
        checks.check_schema(connector.get_schema(connector.authenticate()), connector.entities())

    def test_an_unknown_entity_is_refused(self, scenario: Scenario) -> None:
        checks.check_failure_is_said(read(scenario, "nothing_of_this_name"))

    def test_no_credential_stands_in_a_log_an_error_or_a_printed_object(
        self, scenario: Scenario, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        connector = scenario.connect()
        credentials = connector.authenticate()
        entity = connector.entities()[0].name
        done = read(scenario, entity)
        with scenario.breaking_a_page():
            failed = read(scenario, entity)
        printed = [connector, vars(connector), credentials, connector.context, done.cursor, failed.error]
        texts = {f"printed object {number}": repr(each) for number, each in enumerate(printed)}
        checks.check_no_secret({"the log": caplog.text, **texts}, scenario.secrets)


@pytest.mark.parametrize("connector_id", WITH_CREDENTIALS)
def test_a_refused_credential_asks_for_a_person(connector_id: str, scenario: Scenario) -> None:
    entity = registry.entities(connector_id)[0].name
    started_at = scenario.started_at
    checks.check_refused(lambda: checks.read(scenario.unknown(), entity, started_at=started_at))


@pytest.mark.parametrize("connector_id", WITH_RATE)
def test_the_vendors_rate_limit_is_kept(connector_id: str, scenario: Scenario) -> None:
    limit = registry.manifest(connector_id).rate_limit
    assert limit is not None
    moments = scenario.moments()
    assert len(moments) > limit.requests, "too few requests to prove anything"
    checks.check_rate(moments, per_second=limit.limit().per_second, burst=limit.burst or 0)


@pytest.mark.parametrize("connector_id", OVER_HTTP)
def test_a_vendor_that_pages_in_a_circle_is_left_at_the_first_repeat(connector_id: str, scenario: Scenario) -> None:
    assert scenario.paged_entity, f"{connector_id} is read over HTTP: name an entity with more than one page"
    with scenario.circling():
        before = scenario.requests()
        done = read(scenario, scenario.paged_entity)
        spent = scenario.requests() - before
    checks.check_loop_is_caught(done, spent, allowed=6)


@pytest.mark.parametrize("connector_id", CONNECTORS)
def test_records_of_one_moment_are_read_whole_across_pages(connector_id: str, scenario: Scenario) -> None:
    """A vendor that gives its records no time has no ties to lose; one whose reads filter by time must have some."""
    if scenario.tied_entity is None:
        tokens = ("delta_token", "cursor")  # the vendor's own place in its changes, whatever their times
        deltas = {spec.name: spec.delta for spec in registry.manifest(connector_id).entities if spec.delta is not None}
        filtering = [name for name, delta in deltas.items() if delta.type not in tokens]
        assert not filtering, f"name one of {filtering} as tied_entity of the scenario"
        return
    checks.check_ties(known(scenario, scenario.tied_entity), scenario.truth(scenario.tied_entity))


@pytest.mark.parametrize("connector_id", CONNECTORS)
def test_what_changes_at_the_vendor_is_in_the_next_read(
    connector_id: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In a vendor of its own, because its records move: created, changed, deleted and merged since every cursor."""
    scenario = scenario_of(connector_id, tmp_path_factory.mktemp("moving"))
    try:
        connector = scenario.connect()
        entities = [entity for entity in connector.entities() if entity.cursor]
        base = {entity.name: read(scenario, entity.name) for entity in entities}
        before = {entity.name: scenario.truth(entity.name) for entity in entities}
        scenario.change()
        for entity in entities:
            done, truth = base[entity.name], scenario.truth(entity.name)
            change = read(scenario, entity.name, done.cursor)
            checks.check_incremental(done, change, truth, truth.live - before[entity.name].live)
            if entity.delete_detection in (DeleteDetection.OBSERVED, DeleteDetection.BOTH):
                gone = before[entity.name].live - truth.live
                together = Read([*done.pages, *change.pages])
                checks.check_deletes(together, checks.Truth(truth.live, gone | truth.deleted))
                checks.check_complete(together, truth)
    finally:
        scenario.close()
