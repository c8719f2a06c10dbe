"""Sync, refine, ask: a tenant's own files from the command line to an analyst's query, without Dagster or a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connectors import registry
from connectors.manifest import Manifest, ManifestError
from gtm_pipelines.cli.exits import Exit

from .conftest import PEOPLE

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Gtm


def test_a_sync_tells_what_it_did(gtm: Gtm, acme: Path) -> None:
    done = gtm("sync", "acme", "--json")
    assert done.code == Exit.OK, done.err
    (report,) = done.json
    assert report["status"] == "ok"
    assert report["entities"]["people"]["created"] == 3
    (again,) = gtm("sync", "acme", "file", "--full", "--json").json
    assert again["entities"]["people"]["unchanged"] == 3
    assert acme.exists()


def test_a_sync_of_an_entity_that_is_not_there_names_those_that_are(gtm: Gtm, acme: Path) -> None:
    done = gtm("sync", "acme", "file", "--entity", "poeple")
    assert done.code == Exit.USAGE
    assert "people" in done.err
    assert acme.exists()


def test_a_connection_can_be_tested(gtm: Gtm, acme: Path) -> None:
    done = gtm("connections", "test", "acme", "file", "--json")
    assert (done.code, done.json["ok"]) == (Exit.OK, True)
    for file in acme.iterdir():
        file.unlink()
    acme.rmdir()
    assert gtm("connections", "test", "acme", "file").code == Exit.FAILED


def test_refinement_ends_in_a_published_file_an_analyst_can_query(gtm: Gtm, refined: Path) -> None:
    done = gtm("query", "acme", "select count(*) as people from golden.person", "--json")
    assert done.json == [{"people": 2}]
    assert gtm("query", "acme", "select 1 as one", "--csv").out.split() == ["one", "1"]
    assert refined.exists()


def test_why_names_records_rules_and_losers(gtm: Gtm, refined: Path) -> None:
    done = gtm("why", "acme", "jane.doe@northwind.example", "--json")
    assert done.code == Exit.OK, done.err
    assert {record["external_id"] for record in done.json["records"]} == {"1", "2"}
    assert {record["rule"] for record in done.json["records"]} >= {"email"}
    assert gtm("why", "acme", "per_nobody").code == Exit.USAGE
    assert refined.exists()


def test_quarantine_lists_the_refused_value_and_empties_when_the_source_is_mended(gtm: Gtm, refined: Path) -> None:
    listed = ("quarantine", "list", "acme", "--connection", "file", "--rule", "format", "--json")
    (entry,) = gtm(*listed).json["entries"]
    assert (entry["record_id"], entry["field"], entry["value"]) == ("3", "email", "not an address")
    (refined / "people.csv").write_text(PEOPLE.replace("not an address", "max@northwind.example"))
    gtm("sync", "acme")
    gtm("refine", "acme")
    assert gtm(*listed).json["entries"] == []


def test_quarantine_replay_tries_again(gtm: Gtm, refined: Path) -> None:
    done = gtm("quarantine", "replay", "acme", "--json")
    assert done.code == Exit.OK, done.err
    assert any(entity["replayed"] for entity in done.json["refine"]["entities"])
    assert refined.exists()


def test_an_override_wins_and_history_follows_it(gtm: Gtm, refined: Path) -> None:
    titles = ("query", "acme", "select distinct title from canonical.person order by all", "--json")
    assert {row["title"] for row in gtm(*titles).json} > {"CTO"}
    assert gtm("mappings", "set", "acme", "file", "people.person.title", '{"const": "Boss"}').code == Exit.OK
    shown = gtm("mappings", "show", "acme", "file", "people", "--json").json
    assert [row["from"] for row in shown if row["field"] == "title"] == ["tenant"]
    gtm("refine", "acme")
    assert gtm(*titles).json == [{"title": "Boss"}]
    gtm("mappings", "unset", "acme", "file", "people.person.title")
    gtm("refine", "acme")
    assert {row["title"] for row in gtm(*titles).json} > {"CTO"}
    assert refined.exists()


def test_a_field_that_was_taken_away_is_shown_as_such(gtm: Gtm, acme: Path) -> None:
    assert gtm("mappings", "set", "acme", "file", "people.person.title", "null").code == Exit.OK
    shown = gtm("mappings", "show", "acme", "file", "people", "--json").json
    (taken,) = [row for row in shown if row["from"] == "tenant"]
    assert (taken["field"], taken["value"]) == ("title", None)
    assert "email" in next(row["value"]["source"] for row in shown if row["field"] == "email")
    lines = [line.split() for line in gtm("mappings", "show", "acme", "file").out.splitlines()]
    assert ["people", "person", "title", "null", "tenant"] in lines
    assert acme.exists()


def test_nothing_is_no_mapping(gtm: Gtm, acme: Path) -> None:
    done = gtm("mappings", "set", "acme", "file", "people.person.title", " ")
    assert (done.code, "nothing is given to map the field by" in done.err) == (Exit.USAGE, True)
    assert acme.exists()


def test_an_override_that_does_not_fit_is_refused_and_not_stored(gtm: Gtm, refined: Path) -> None:
    done = gtm("mappings", "set", "acme", "file", "people.person.shoe_size", "size")
    assert done.code != Exit.OK
    assert "shoe_size" in done.err
    assert "tenant" not in {row["from"] for row in gtm("mappings", "show", "acme", "file", "--json").json}
    assert refined.exists()


def test_a_path_no_stored_record_has_is_stored_with_a_warning(gtm: Gtm, refined: Path) -> None:
    place = "people.person.title"
    done = gtm("mappings", "set", "acme", "file", place, "Nope__c")
    assert (done.code, "warning: none of the 3 stored people records has Nope__c" in done.err) == (Exit.OK, True)
    shown = gtm("mappings", "set", "acme", "file", place, '["title", "Nope__c"]', "--json")
    assert shown.json["warning"] == "none of the 3 stored people records has Nope__c"
    done = gtm("mappings", "set", "acme", "file", place, '{"source": "title", "transform": "trim"}', "--json")
    assert (done.code, done.json["warning"], done.err) == (Exit.OK, None, "")
    assert gtm("mappings", "set", "acme", "file", place, '{"const": "Boss"}').err == ""
    assert "none of the 3" in gtm("mappings", "set", "acme", "file", "people.person.properties.tier", "Tier").err
    assert refined.exists()


def test_nothing_is_said_of_a_path_before_anything_is_stored(gtm: Gtm, acme: Path) -> None:
    done = gtm("mappings", "set", "acme", "file", "people.person.title", "Nope__c")
    assert (done.code, done.err) == (Exit.OK, "")
    (acme / "people.csv").unlink()
    gtm("sync", "acme")
    done = gtm("mappings", "set", "acme", "file", "people.person.title", "Nope__c")
    assert (done.code, done.err) == (Exit.OK, "")


def test_a_paused_connection_is_synced_when_named_and_that_is_said(gtm: Gtm, acme: Path) -> None:
    assert "paused" not in gtm("sync", "acme", "file").err
    gtm("connections", "pause", "acme", "file")
    done = gtm("sync", "acme", "file", "--json")
    assert (done.code, done.err) == (Exit.OK, "acme/file is paused; it is synced because it was named\n")
    assert gtm("sync", "acme").code == Exit.USAGE
    assert acme.exists()


def test_where_all_is_paused_nobody_is_told_to_add_a_connection(gtm: Gtm, acme: Path) -> None:
    gtm("connections", "pause", "acme", "file")
    done = gtm("sync", "acme")
    assert (done.code, "file is paused" in done.err, "connections add" in done.err) == (Exit.USAGE, True, False)
    assert acme.exists()


def test_a_refused_shrink_names_the_option_that_allows_it(gtm: Gtm, acme: Path) -> None:
    rows = [f"{number},p{number}@northwind.example" for number in range(60)]
    (acme / "people.csv").write_text("\n".join(["id,email", *rows]))
    assert gtm("sync", "acme").code == Exit.OK
    (acme / "people.csv").write_text("\n".join(["id,email", *rows[:5]]))
    done = gtm("sync", "acme", "file", "--full")
    assert done.code != Exit.OK
    assert "gtm sync acme file --full --allow-shrink" in done.out
    assert gtm("sync", "acme", "file", "--allow-shrink").code == Exit.USAGE
    (report,) = gtm("sync", "acme", "file", "--full", "--allow-shrink", "--json").json
    assert (report["status"], report["entities"]["people"]["deleted"]) == ("ok", 55)


def test_status_tells_fresh_from_stale_and_what_is_due(gtm: Gtm, refined: Path) -> None:
    (row,) = gtm("status", "acme", "--json").json
    assert (row["last_sync_status"], row["failures"], row["needs_attention"]) == ("ok", 0, False)
    assert row["next_due_at"] is not None
    assert "acme/file" in gtm("status").out
    assert refined.exists()


def test_status_says_what_went_wrong_in_the_last_sync(gtm: Gtm, acme: Path) -> None:
    for file in acme.iterdir():
        file.unlink()
    acme.rmdir()
    (report,) = gtm("sync", "acme", "--json").json
    message = report["entities"]["people"]["errors"][0]["message"]
    done = gtm("status", "acme", "--json")
    assert (done.code, done.json[0]["failures"]) == (Exit.PARTIAL, 1)
    (fault,) = done.json[0]["last_sync_faults"]
    assert (message in fault, "people" in fault, fault.count(message)) == (True, True, 1)
    assert fault.split(":")[0] in gtm("status").out


def test_doctor_finds_nothing_wrong_and_then_the_missing_key(
    gtm: Gtm, refined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = {entry["what"]: entry["state"] for entry in gtm("doctor", "--json").json}
    assert states["key"] == states["control plane"] == states["tenant acme"] == "ok"
    monkeypatch.delenv("CONNECTOR_ENCRYPTION_KEY")
    done = gtm("doctor", "--json")
    assert done.code == Exit.FAILED
    (key,) = [entry for entry in done.json if entry["what"] == "key"]
    assert "gtm keys new" in key["mend"]
    assert refined.exists()


def test_an_override_of_an_entity_or_target_that_is_not_there_is_refused_by_name(gtm: Gtm, refined: Path) -> None:
    done = gtm("mappings", "set", "acme", "file", "poeple.person.title", "title")
    assert (done.code, "it has accounts, activities, people" in done.err) == (Exit.USAGE, True)
    done = gtm("mappings", "set", "acme", "file", "people.persn.title", "title")
    assert (done.code, "account, activity, person" in done.err) == (Exit.USAGE, True)
    done = gtm("mappings", "set", "acme", "file", "people.person.titel", "title")
    assert (done.code, "did you mean 'title'" in done.err) == (Exit.USAGE, True)
    assert refined.exists()


def test_a_misspelt_connection_is_not_an_empty_quarantine(gtm: Gtm, refined: Path) -> None:
    for command in ("list", "replay"):
        done = gtm("quarantine", command, "acme", "--connection", "flie")
        assert (done.code, "flie" in done.err) == (Exit.USAGE, True)
    counts = gtm("quarantine", "list", "acme", "--json").json["counts"]
    assert {"connection": "file", "entity": "people", "rule": "format", "severity": "field", "entries": 1} in counts
    assert refined.exists()


def test_doctor_lists_no_connector_as_sound_that_cannot_be_read(gtm: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = registry.manifest

    def manifest(connector: str) -> Manifest:
        if connector == "close":
            raise ManifestError("connector.yml:7: this key is not known here")
        return whole(connector)

    monkeypatch.setattr(registry, "manifest", manifest)
    found = {entry["what"]: entry for entry in gtm("doctor", "--json").json}
    assert found["connector"]["detail"] == "close: connector.yml:7: this key is not known here"
    assert "customerio" in found["connectors"]["detail"]
    assert "close" not in found["connectors"]["detail"]


def test_without_the_key_in_use_doctor_never_advises_a_new_one(
    gtm: Gtm, refined: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gtm("connections", "add", "acme", "customerio", "--secrets-file", "-", stdin="app_api_key=abcdef123456")
    monkeypatch.delenv("CONNECTOR_ENCRYPTION_KEY")
    (key,) = [entry for entry in gtm("doctor", "--json").json if entry["what"] == "key"]
    assert "key in use before" in key["mend"]
    assert "gtm keys new" not in key["mend"]
    assert refined.exists()


def test_a_home_that_cannot_be_written_is_one_finding_and_one_line(
    gtm: Gtm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GTM_HOME", str(tmp_path / "file" / "home"))
    done = gtm("doctor", "--json")
    assert done.code == Exit.FAILED
    assert [entry["what"] for entry in done.json if entry["state"] == "fault"] == ["disk"]
    done = gtm("status")
    assert (done.code, "set GTM_HOME" in done.err, done.err.count("\n")) == (Exit.FAILED, True, 1)


def test_a_refinement_says_what_became_of_the_records(gtm: Gtm, acme: Path) -> None:
    gtm("sync", "acme")
    first = gtm("refine", "acme").out
    assert "file/people" in first
    assert "golden.person_key" not in first
    assert "nothing new to refine" in gtm("refine", "acme").out
    assert acme.exists()


def test_a_sync_that_rejected_a_record_says_where_it_is(gtm: Gtm, acme: Path) -> None:
    (acme / "people.csv").write_text(f"{PEOPLE}4,x@northwind.example,more,cells,than,columns,are\n")
    assert "what was rejected, and why: gtm quarantine list acme" in gtm("sync", "acme").out
    assert "5: 7 values for 6 columns" in gtm("quarantine", "list", "acme").out
    assert "rejected, and why" not in gtm("sync", "acme").out


def test_a_fault_of_many_entities_is_told_once(gtm: Gtm, acme: Path) -> None:
    for file in acme.iterdir():
        file.unlink()
    acme.rmdir()
    done = gtm("sync", "acme", "file")
    assert done.code == Exit.FAILED
    assert sum("acme/file/" in line for line in done.out.splitlines()) == 1
