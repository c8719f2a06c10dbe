"""Where credentials come from: a file, stdin, the environment or a hidden prompt; never an argument.

Arguments end up in shell histories and process lists, which is why no option of any command takes a secret.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import typer

from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.settings import environment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from connectors.manifest import CredentialField, Manifest

STDIN = "-"


def collect(manifest: Manifest, *, source: Path | None, from_env: bool, stored: Collection[str] = ()) -> dict[str, str]:
    """Return the credential fields given; raise UsageError naming every field that is missing or unknown.

    A field whose name is among ``stored`` need not be given again.
    """
    fields = {field.name: field for field in manifest.auth.fields}
    if not fields:
        return {}
    if source is not None:
        given = parse(_piped() if str(source) == STDIN else _read(source))
    elif from_env:
        given = _from_environment(manifest)
    elif sys.stdin.isatty():
        given = {name: _ask(field) for name, field in fields.items()}
    elif piped := _piped():
        given = parse(piped)
    else:
        usual = _ways(manifest)[0] or frozenset(fields)
        needed = _in_order(manifest, usual)
        variables = ", ".join(variable(manifest.id, name) for name in needed)
        raise UsageError(
            f"{manifest.name} needs {', '.join(needed)}{_instead(manifest, usual)}: give them on stdin, with "
            f"--secrets-file FILE, or with --from-env from {variables}"
        )
    return _checked(manifest, {name: value for name, value in given.items() if value}, stored)


def variable(connector: str, field: str) -> str:
    """Return the environment variable that holds a credential field."""
    return f"GTM_{connector}_{field}".upper()


def parse(text: str) -> dict[str, str]:
    """Read a JSON object of text values, or ``name=value`` lines; messages never repeat what was read."""
    if text.lstrip().startswith("{"):
        try:
            read = json.loads(text)
        except ValueError:
            raise UsageError("the credentials are not valid JSON") from None
        if not all(isinstance(value, str) for value in read.values()):
            raise UsageError("every credential must be text")
        return dict(read)
    pairs = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise UsageError(f"line {number} of the credentials is not name=value")
        pairs[name.strip()] = value.strip()
    return pairs


def _read(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"the credentials file {source} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the credentials file {source} is not text in UTF-8") from None


def _piped() -> str:
    try:
        return sys.stdin.read().strip()
    except UnicodeDecodeError:
        raise UsageError("the credentials on stdin are not text in UTF-8") from None


def _from_environment(manifest: Manifest) -> dict[str, str]:
    values: Mapping[str, str] = environment()
    return {field.name: values.get(variable(manifest.id, field.name), "") for field in manifest.auth.fields}


def _ask(field: CredentialField) -> str:
    label = field.label if field.required else f"{field.label} (may be empty)"
    if field.help:
        typer.echo(f"  {field.help}", err=True)
    default = field.default or ("" if not field.required else None)
    answer: str = typer.prompt(
        label, hide_input=field.type == "secret", default=default, show_default=bool(field.default), err=True
    )
    return answer


def _checked(manifest: Manifest, given: dict[str, str], stored: Collection[str]) -> dict[str, str]:
    fields = {field.name: field for field in manifest.auth.fields}
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise UsageError(f"{manifest.name} has no credential {', '.join(unknown)}; it has {', '.join(fields)}")
    known = {*given, *stored}
    ways = _ways(manifest)
    chosen = next((way for way in ways if way & (known - ways[0])), ways[0])
    missing = [name for name in fields if name in chosen and name not in known]
    if missing:
        raise UsageError(f"{manifest.name} also needs {', '.join(missing)}{_instead(manifest, chosen)}")
    if _KEY in given and manifest.auth.type == "oauth2":
        _check_key(given[_KEY])
    return given


def _instead(manifest: Manifest, chosen: frozenset[str]) -> str:
    """Name the fields of every other way of logging in than the one chosen."""
    others = [way for way in _ways(manifest) if way != chosen]
    return "".join(f"; with {_KEY} instead: {', '.join(_in_order(manifest, way))}" for way in others)


def _in_order(manifest: Manifest, names: frozenset[str]) -> list[str]:
    return [field.name for field in manifest.auth.fields if field.name in names]


def _check_key(text: str) -> None:
    """Sign once with a private key, the only way to know that it can."""
    from connectors.errors import Reauthorise
    from connectors.runtime.auth.jwt_bearer import sign_rs256

    try:
        sign_rs256({}, text)
    except Reauthorise as error:
        raise UsageError(error.message) from None


def _ways(manifest: Manifest) -> list[frozenset[str]]:
    """Return the sets of fields any one of which is complete, the usual one first.

    A manifest calls a field required only when every way of logging in uses it; which fields belong together follows
    from the OAuth grant (connectors/runtime/auth). A private key, where one is stored, is what the connector uses.
    """
    declared = {field.name for field in manifest.auth.fields}
    always = {field.name for field in manifest.auth.fields if field.required}
    if manifest.auth.type != "oauth2":
        return [frozenset(always)]
    usual = always | (_GRANTS[manifest.auth.grant or "refresh_token"] & declared)
    signed = always | (_GRANTS["jwt_bearer"] & declared)
    return [frozenset(usual), *([frozenset(signed)] if _KEY in declared and signed != usual else [])]


_KEY = "private_key"
_GRANTS = {
    "refresh_token": {"client_id", "client_secret", "refresh_token"},
    "client_credentials": {"client_id", "client_secret"},
    "jwt_bearer": {"client_id", "username", _KEY},
}
