"""A connection's settings as given on the command line: read, typed, and refused where they could never work.

What belongs here is what can be known without asking a vendor: names, types, hosts, folders. Credentials are in
secrets.py; whether the vendor lets us in is what ``gtm connections test`` finds out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtm_pipelines.cli.exits import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.manifest import Manifest, SettingField

Setting = str | int | bool | list[str]


def read_settings(
    manifest: Manifest, pairs: list[str], *, sandbox_origin: str | None, stored: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return ``stored`` with the ``key=value`` pairs over it; raise UsageError for what could never work.

    ``key=`` takes a setting away, so that the connector's default holds. Only what is given is checked against hosts
    and folders: a share that is not mounted today is no reason to refuse a new schedule.
    """
    known = {field.name: field for field in manifest.settings}
    chosen = dict(stored or {})
    for pair in pairs:
        key, value = _split(manifest, known, pair)
        if value:
            chosen[key] = _checked(manifest, known[key], value, sandbox_origin)
        else:
            chosen.pop(key, None)
    missing = [name for name, field in known.items() if field.required and name not in chosen and field.default is None]
    if missing:
        raise UsageError(f"{manifest.name} also needs {' '.join(f'--set {name}=…' for name in missing)}")
    return chosen


def _split(manifest: Manifest, known: Mapping[str, SettingField], pair: str) -> tuple[str, str]:
    """Take ``key=value`` apart; a credential among the settings is refused without repeating it."""
    key, equals, value = pair.partition("=")
    if key in {field.name for field in manifest.auth.fields}:
        raise UsageError(f"{key} is a credential and is never taken from an argument: use --secrets-file or --from-env")
    if key not in known:
        offered = f"write KEY=VALUE with one of: {', '.join(known)}" if known else "it has none"
        raise UsageError(f"{key!r} is not a setting of {manifest.name}; {offered}")
    if not equals:
        raise UsageError(f"{key!r} is given no value: write {key}=VALUE, or {key}= to take it away")
    return key, value.strip() if known[key].type != "text" else value


def _checked(manifest: Manifest, field: SettingField, value: str, sandbox_origin: str | None) -> Setting:
    """Return a setting as it is stored."""
    if field.type == "url":
        return _url(manifest, field, value, sandbox_origin)
    if (manifest.category, field.name) == ("file", "folder"):
        return _folder(field, value)
    return _typed(field, value)


def _url(manifest: Manifest, field: SettingField, value: str, sandbox_origin: str | None) -> str:
    """Pass a URL through the gate every request passes later; the value is not repeated, it may hold a password."""
    from connectors.errors import Stop
    from connectors.registry import allowed_hosts
    from connectors.runtime.egress import EgressPolicy

    policy = EgressPolicy(allowed_hosts(manifest, {field.name: value}), sandbox_origin)
    try:
        return policy.check(value)
    except Stop as error:
        places = ", ".join(f"https://{host}" for host in manifest.allowed_hosts) or "any public host over https"
        sandbox = f" or the sandbox at {policy.sandbox_origin}" if policy.sandbox_origin else ""
        raise UsageError(f"{field.name} is refused: {error.message}; {manifest.name} is at {places}{sandbox}") from None


def _folder(field: SettingField, value: str) -> str:
    """Return a folder that exists, absolute: a schedule has no current directory."""
    given = Path(value)
    folder = (given.expanduser() if value.startswith("~/") else given).absolute()
    if not folder.is_dir():
        raise UsageError(f"{field.name}: {folder} is not a folder; create or mount it first")
    return str(folder)


def _typed(field: SettingField, value: str) -> Setting:
    """Read a setting's text as the type its connector declares."""
    if field.type == "integer":
        if not value.removeprefix("-").isdecimal():
            raise UsageError(f"{field.name} must be a whole number, not {value!r}")
        return int(value)
    if field.type == "boolean":
        if value.lower() not in _TRUTHS:
            raise UsageError(f"{field.name} must be true or false, not {value!r}")
        return _TRUTHS[value.lower()]
    if field.type == "choice" and value not in field.choices:
        raise UsageError(f"{field.name} must be one of {', '.join(field.choices)}, not {value!r}")
    return [word.strip() for word in value.split(",") if word.strip()] if field.type == "list" else value


_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
