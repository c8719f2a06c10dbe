"""What the environment may say, and how it is refused."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from gtm_pipelines import settings
from gtm_pipelines.settings import PROJECT_ROOT, Settings, SettingsError, read_settings


@pytest.mark.parametrize("home", ["/srv/what?", "/srv/#1/home", "/srv/50%20off"])
def test_a_home_that_would_change_the_meaning_of_a_database_address_is_refused(home: str) -> None:
    with pytest.raises(SettingsError, match=r"GTM_HOME: .*choose another"):
        read_settings({"GTM_HOME": home})


def test_a_home_is_absolute_and_the_default_is_judged_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).home == tmp_path / ".gtm"
    assert read_settings({"GTM_HOME": "mine"}).home == tmp_path / "mine"
    (tmp_path / "odd?").mkdir()
    monkeypatch.chdir(tmp_path / "odd?")
    with pytest.raises(SettingsError, match="GTM_HOME"):
        read_settings({})


def test_private_databases_are_a_list_of_places_and_a_place_nobody_understands_is_named() -> None:
    read = read_settings({"GTM_PRIVATE_DATABASES": "db.corp:5432, 10.1.0.0/16,/srv/exports,"})
    assert read.private_databases == ("db.corp:5432", "10.1.0.0/16", "/srv/exports")
    with pytest.raises(SettingsError, match=r"GTM_PRIVATE_DATABASES: 'exports/crm' is no host"):
        read_settings({"GTM_PRIVATE_DATABASES": "db.corp,exports/crm"})


def test_every_bad_variable_is_named_at_once_and_no_value_is_repeated() -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({"GTM_SHARD_SIZE": "many-4711", "GTM_LOG_LEVEL": "loud-4711", "GTM_HOME": "/fine"})
    assert "GTM_SHARD_SIZE" in str(refusal.value)
    assert "GTM_LOG_LEVEL" in str(refusal.value)
    assert "4711" not in str(refusal.value)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("GTM_LOG_LEVEL", "loud", "write DEBUG, INFO, WARNING or ERROR"),
        ("GTM_REFINE_MEMORY", "plenty", "write a size as in 192MB or 1GB"),
        ("GTM_DEFAULT_REGION", "usa", "write a country in two capital letters, as in US"),
    ],
)
def test_what_may_be_written_is_said_in_words_and_not_as_a_pattern(variable: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({variable: value})
    assert str(refusal.value) == f"settings cannot be used: {variable}: {said}"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:pw-4711@h/d",
        "sqlite:///pw-4711.db",
        "postgresql+psycopg://u:pw-4711@h/d",
        "postgresql://u:p@pw-4711@h/d",
    ],
)
def test_an_address_dagster_could_not_open_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match=r"GTM_DAGSTER_URL: write postgresql://") as refusal:
        read_settings({"GTM_DAGSTER_URL": url})
    assert "4711" not in str(refusal.value)


def test_every_setting_stands_on_the_page_of_the_command_line() -> None:
    page = (PROJECT_ROOT / "docs/cli.md").read_text(encoding="utf-8")
    read = re.findall(r'"((?:GTM|CONNECTOR)_[A-Z_]+)"', inspect.getsource(settings))
    assert len(read) >= len(Settings.model_fields)
    assert [name for name in read if f"`{name}`" not in page] == []
