"""What stands in ``deploy/`` is valid, and names nothing that does not exist. No container engine runs here."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
from functools import cache
from importlib import import_module, metadata, resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import jsonschema
import pytest
import yaml

from gtm_pipelines.settings import _VARIABLES, PROJECT_ROOT, read_env_file, read_settings
from tests.postgres import shared

DEPLOY = PROJECT_ROOT / "deploy"
SHELL = shutil.which("sh") or "/bin/sh"
DAGSTERS = {"DAGSTER_HOME", "GTM_DAGSTER_DIR"}
DATABASES = ("control", "dagster", "warehouse")


@cache
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def commands() -> list[list[str]]:
    """Every command that a container of ours runs: services, health checks, and the steps of a shell."""
    said = []
    for service in compose()["services"].values():
        said.append(service.get("command", []))
        said.append(service.get("healthcheck", {}).get("test", ["CMD"])[1:])
    lines = [shlex.split(line) for each in said if each[:2] == ["sh", "-c"] for line in each[2].split("&&")]
    return lines + [each for each in said if each and each[0] not in {"sh", "python", "pg_isready"}]


def follow(command: Any, arguments: list[str], name: str) -> None:
    """Follow a command line to its leaf, refusing what is no subcommand and no option there."""
    here = command.context_class(command)
    if hasattr(command, "get_command") and arguments and not arguments[0].startswith("-"):
        found = command.get_command(here, arguments[0])
        assert found is not None, f"{name} has no {arguments[0]}"
        follow(found, arguments[1:], f"{name} {arguments[0]}")
    else:
        _, left, _ = command.make_parser(here).parse_args(list(arguments))
        assert left == [], f"{name} does not take {left}"


def program(name: str) -> Any:
    """Return the command that a console script calls."""
    (script,) = metadata.entry_points(group="console_scripts", name=name)
    script.load()
    if name == "gtm":
        import typer

        from gtm_pipelines.cli.main import app

        return typer.main.get_command(app)
    homes = {
        "dagster": ("dagster._cli", "create_dagster_cli"),
        "dagster-daemon": ("dagster._daemon.cli", "create_dagster_daemon_cli"),
        "dagster-webserver": ("dagster_webserver.cli", "dagster_webserver"),
    }
    module, attribute = homes[name]
    found = getattr(import_module(module), attribute)
    return found() if attribute.startswith("create") else found


def test_the_compose_file_keeps_the_compose_specification() -> None:
    path = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(compose(), json.loads(path.read_text()))


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_exists_and_takes_what_it_is_given(command: list[str]) -> None:
    follow(program(command[0]), command[1:], command[0])


def test_a_command_that_does_not_exist_is_found_out() -> None:
    with pytest.raises(AssertionError, match="dagster instance has no migrait"):
        follow(program("dagster"), ["instance", "migrait"], "dagster")
    with pytest.raises(click.NoSuchOption):
        follow(program("dagster-daemon"), ["run", "--workspaces", "w"], "dagster-daemon")


def test_every_variable_named_is_one_that_somebody_reads(tmp_path: Path) -> None:
    written, of_postgres = secrets(tmp_path)
    kubernetes = (DEPLOY / "kubernetes" / "values.yaml").read_text()
    named = set(written) | set(re.findall(r"\b(?:GTM|CONNECTOR)_[A-Z_]+", kubernetes))
    named |= set(re.findall(r"^(?:ENV)?\s+([A-Z_]+)=", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE))
    for service in compose()["services"].values():
        named |= set(service.get("environment", {}))
    assert named - set(_VARIABLES.values()) - DAGSTERS == {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    assert set(of_postgres) == {"POSTGRES_PASSWORD", *(f"{name.upper()}_PASSWORD" for name in DATABASES)}


def secrets(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    shutil.copy(DEPLOY / "new-secrets.sh", folder)
    subprocess.run([SHELL, "new-secrets.sh"], cwd=folder, check=True, capture_output=True)
    return read_env_file(folder / "gtm.env"), read_env_file(folder / "postgres.env")


def test_new_secrets_are_settings_that_hold_and_are_never_written_over(tmp_path: Path) -> None:
    written, of_postgres = secrets(tmp_path)
    settings = read_settings(written)
    assert settings.encryption_key is not None
    for name, url in zip(DATABASES, (settings.control_url, settings.dagster_url, settings.warehouse_url), strict=True):
        parts = urlsplit(url or "")
        assert (parts.hostname, parts.username, parts.path) == ("postgres", f"gtm_{name}", f"/gtm_{name}")
        assert parts.password == of_postgres[f"{name.upper()}_PASSWORD"]
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("gtm.env", "postgres.env")}
    assert modes == {0o600}
    again = subprocess.run([SHELL, "new-secrets.sh"], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (again.returncode, "nothing was written" in again.stderr) == (1, True)
    assert read_env_file(tmp_path / "gtm.env") == written


def test_the_databases_script_makes_plain_roles_with_a_database_each() -> None:
    server = shared()
    server.create_database()  # the suite's server is there
    passwords = {f"{name.upper()}_PASSWORD": f"it's {name}" for name in DATABASES}
    environ = {
        **os.environ,
        **passwords,
        "PGHOST": str(server.folder),
        "PATH": f"{server.programs}:{os.environ['PATH']}",
    }
    subprocess.run([SHELL, str(DEPLOY / "postgres" / "10-databases.sh")], env=environ, check=True, capture_output=True)
    with server.session("postgres") as cursor:
        cursor.execute(
            "SELECT rolname, rolcreaterole, rolsuper OR rolbypassrls FROM pg_roles"
            " WHERE rolname IN ('gtm_control', 'gtm_dagster', 'gtm_warehouse') ORDER BY 1"
        )
        assert cursor.fetchall() == [
            ("gtm_control", False, False),
            ("gtm_dagster", False, False),
            ("gtm_warehouse", True, False),
        ]
        cursor.execute("SELECT has_database_privilege('gtm_dagster', 'gtm_control', 'CONNECT')")
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT has_database_privilege('gtm_control', 'gtm_control', 'CREATE')")
        assert cursor.fetchone() == (True,)
        # a tenant's role, which is made later, works through temporary tables
        cursor.execute("SELECT has_database_privilege('gtm_control', 'gtm_warehouse', 'TEMPORARY')")
        assert cursor.fetchone() == (True,)


def test_services_find_each_other() -> None:
    services = compose()["services"]
    (entry,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    server = entry["grpc_server"]
    code = services[server["host"]]["command"]
    assert code[code.index("--port") + 1] == str(server["port"])
    assert code[code.index("--host") + 1] == "0.0.0.0"  # noqa: S104  inside a container, whose port is not published
    assert services[server["host"]]["healthcheck"]["test"][-1] == str(server["port"])
    web = services["webserver"]
    port = web["command"][web["command"].index("--port") + 1]
    assert web["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"127.0.0.1:{port}/" in web["healthcheck"]["test"][-1]
    for name in ("daemon", "webserver"):
        asked = services[name]["command"]
        assert asked[asked.index("--workspace") + 1] == "/app/deploy/workspace.yaml"


def test_services_of_ours_share_one_image_are_not_root_and_come_back() -> None:
    ours = {name: service for name, service in compose()["services"].items() if name != "postgres"}
    assert {service["image"] for service in ours.values()} == {"gtm-pipelines:${GTM_VERSION:-latest}"}
    assert {service["user"] for service in ours.values()} == {"10001:10001"}
    assert "USER 10001:10001" in (DEPLOY / "Dockerfile").read_text()
    assert {service["environment"]["DAGSTER_HOME"] for service in ours.values()} == {"/app/deploy/dagster"}
    lasting = {name: service for name, service in compose()["services"].items() if name != "prepare"}
    assert {service["restart"] for service in lasting.values()} == {"unless-stopped"}
    assert all("healthcheck" in service for service in lasting.values())
    assert compose()["services"]["code"]["hostname"], "lost_runs knows its runs by the host's name"


def test_the_image_is_built_from_files_that_are_there_with_hashes_checked() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    locks = {"requirements.lock", "requirements/installer.lock", "requirements/kubernetes.lock"}
    for lock in locks:
        lines = (PROJECT_ROOT / lock).read_text().splitlines()
        assert all(line.endswith("\\") for line in lines if re.match(r"[a-z0-9]", line)), (
            f"{lock} has a line without hash"
        )
    assert text.count("--require-hashes") == len(locks)
    kept = [line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")]
    assert [name for name in kept if not (PROJECT_ROOT / name).exists()] == []
    assert {"gtm_pipelines", "connectors", "quality", "sql", "deploy", "dagster.yaml", "workspace.yaml"} <= set(kept)
    assert (DEPLOY / compose()["services"]["prepare"]["build"]["context"]).resolve() == PROJECT_ROOT


def test_what_kubernetes_needs_beside_moves_no_version_of_what_is_there() -> None:
    base, more = (pins(PROJECT_ROOT / name) for name in ("requirements.lock", "requirements/kubernetes.lock"))
    assert "dagster-k8s" in more
    assert {name: (version, base[name]) for name, version in more.items() if base.get(name, version) != version} == {}


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), re.MULTILINE))
