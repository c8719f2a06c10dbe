"""``gtm connectors new`` and ``gtm connectors check``: what somebody who writes a connector needs beside an editor.

``check`` applies the conformance checks (connectors/conformance) to the folder, to the sandbox where it speaks the
vendor, or to any server named with ``--against``.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from gtm_pipelines.cli import secrets
from gtm_pipelines.cli.connection_settings import read_settings
from gtm_pipelines.cli.exits import CommandError, Exit, UsageError
from gtm_pipelines.cli.output import Json, emit, progress, table
from gtm_pipelines.cli.session import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console

    from connectors.conformance.checks import Read
    from connectors.conformance.judge import Verdict
    from connectors.connector import Connector, CredentialStore
    from connectors.manifest import Manifest

_WORLD = 300
_LOOKED_AT = 1_000  # records of an entity, for the paths that are mapped
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def new(
    connector: Annotated[str, typer.Argument(metavar="VENDOR", help="The id: small letters and digits.")],
    name: Annotated[str | None, typer.Option("--name", help="The vendor's name as people write it.")] = None,
    as_json: Json = False,
) -> None:
    """Write the folder of a new connector: a descriptor, a mapping, an icon and a README, ready to be changed.

    gtm connectors new acmemail --name "Acme Mail"
    """
    from connectors.scaffold import ScaffoldError, write_connector

    try:
        files = write_connector(connector, name or connector.capitalize())
    except ScaffoldError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise CommandError(
            f"the folder cannot be written: {error.strerror}; connectors are added in a clone"
        ) from error

    def show(out: Console) -> None:
        for file in files:
            out.print(f"wrote {file}", markup=False)
        out.print(
            f"next: describe the vendor in connector.yml (docs/connectors.md), then gtm connectors check {connector}"
        )

    emit(files, as_json=as_json, show=show)


def check(
    connector: Annotated[str, typer.Argument(metavar="VENDOR", help="The connector's id.")],
    against: Annotated[
        str | None, typer.Option("--against", metavar="URL", help="Read this server: the vendor, a mock, a sandbox.")
    ] = None,
    entities: Annotated[list[str] | None, typer.Option("--entity", help="Only this entity; may be repeated.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting.")] = None,
    secrets_file: Annotated[
        Path | None, typer.Option("--secrets-file", metavar="FILE", help="Credentials; - reads stdin.")
    ] = None,
    from_env: Annotated[bool, typer.Option("--from-env", help="Credentials from GTM_<CONNECTOR>_<FIELD>.")] = False,
    page_size: Annotated[
        int | None, typer.Option("--page-size", min=1, help="Records per page, to see paging.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge a connector: its folder, and how it reads an account. Exit code 1 when a promise is broken.

    Without --against the sandbox plays the vendor, where it can. With it every read, resume and error is tried on that
    server, with the credentials given; nothing is stored, and one login with a wrong credential is made.

    gtm connectors check hubspot
    gtm connectors check hubspot --against https://api.hubapi.com --from-env --entity owners
    gtm connectors check acmemail --against http://127.0.0.1:9000 --secrets-file acmemail.json
    """
    manifest = _manifest(connector)
    _known(manifest, entities or [])
    verdicts = list(judge_folder(connector))
    with ExitStack() as stack:
        found = _account(stack, manifest, against, settings or [], secrets_file, from_env=from_env)
        if found is not None:
            report = stack.enter_context(progress(f"reading {manifest.name}", quiet=as_json))
            for verdict in found.judge(entities or [], page_size):
                report(f"{verdict.entity or manifest.name}: {verdict.check}")
                verdicts.append(verdict)

    def show(out: Console) -> None:
        rows = [[v.entity, v.check, "ok" if v.ok else "BROKEN", v.detail or None] for v in verdicts]
        out.print(table(["entity", "promise", "kept", "detail"], rows))
        broken = sum(not verdict.ok for verdict in verdicts)
        out.print(f"{len(verdicts)} promises, {broken} broken")
        if found is None:
            out.print(
                f"only the folder was judged: the sandbox does not speak {connector} over HTTP (docs/connectors.md)"
            )

    emit([asdict(verdict) for verdict in verdicts], as_json=as_json, show=show)
    raise typer.Exit(Exit.OK if all(verdict.ok for verdict in verdicts) else Exit.FAILED)


def judge_folder(connector: str) -> Iterator[Verdict]:
    """Yield a verdict for each rule of a connector's folder."""
    from connectors import registry
    from connectors.conformance import folder
    from connectors.conformance.checks import NotConformant
    from connectors.conformance.judge import Verdict
    from gtm_pipelines.warehouse.names import entity_table
    from quality.mapping import MappingError, load_mapping

    path = registry.mapping_path(connector).parent
    names = [entity.name for entity in registry.entities(connector)]
    rules: dict[str, Callable[[], None]] = {
        "the icon is a plain drawing": lambda: folder.check_icon(registry.icon(connector)),
        "the README says what a person needs": lambda: folder.check_readme((path / "README.md").read_text(), names),
        "entities become tables of their own": lambda: folder.check_entity_names(
            names, {name: entity_table(name) for name in names}
        ),
        "every entity is mapped or left out by name": lambda: folder.check_mapped(
            names, list(load_mapping(path / "mapping.yml").entities)
        ),
        "code is there only for what forced it": lambda: folder.check_code(
            registry.manifest(connector).kind, path / "source.py"
        ),
        "it imports no other vendor": lambda: folder.check_vendor_imports(connector, sorted(path.glob("*.py"))),
    }
    for rule, attempt in rules.items():
        try:
            attempt()
        except (NotConformant, MappingError, OSError) as error:
            yield Verdict(rule, None, ok=False, detail=str(error))
        else:
            yield Verdict(rule, None, ok=True)


@dataclass(frozen=True)
class _Server:
    """One account at one server, as it is judged."""

    manifest: Manifest
    settings: Mapping[str, Any]
    credentials: Mapping[str, str]
    hosts: frozenset[str]
    sandbox_origin: str | None

    def judge(self, entities: list[str], page_size: int | None) -> Iterator[Verdict]:
        from connectors.conformance.judge import Account, GivenCredentials

        with ExitStack() as stack:
            account = Account(
                lambda store: stack.enter_context(self._connector(store)),
                GivenCredentials(
                    self.credentials, {field.name for field in self.manifest.auth.fields if field.type == "secret"}
                ),
                utc_now(),
                page_size,
                _mapped(self.manifest.id),
            )
            yield from account.judge(entities)

    @contextmanager
    def _connector(self, store: CredentialStore) -> Iterator[Connector]:
        from connectors import registry
        from connectors.connector import ConnectorContext

        described = self.manifest.model_copy(update={"allowed_hosts": sorted(self.hosts)})
        transport = registry.transport_for(described, sandbox_origin=self.sandbox_origin)
        try:
            yield registry.build(self.manifest.id, ConnectorContext(self.settings, transport, store, utc_now))
        finally:
            transport.close()


def _mapped(connector: str) -> Callable[[str, Read], Iterator[Verdict]]:
    """Return what says which mapped paths no record had; no promise is broken by it, for an account may be small."""
    from connectors import registry
    from connectors.conformance.judge import Verdict
    from gtm_pipelines.cli.mapping_paths import find_unmet
    from quality.mapping import MappingError, load_mapping

    def look(entity: str, done: Read) -> Iterator[Verdict]:
        payloads = [text for page in done.pages for text in page.rows["payload"].to_pylist() if text is not None]
        with suppress(MappingError):  # said of the folder
            said = find_unmet(load_mapping(registry.mapping_path(connector)), entity, payloads[:_LOOKED_AT])
            yield Verdict("records have what is mapped", entity, ok=True, detail=said or "")

    return look


def _account(
    stack: ExitStack,
    manifest: Manifest,
    against: str | None,
    settings: list[str],
    secrets_file: Path | None,
    *,
    from_env: bool,
) -> _Server | None:
    """Return the account to judge: at the server named, or at a sandbox of its own; None where there is neither."""
    if against is not None:
        origin, hosts = _place(against, manifest)
        described = manifest.model_copy(update={"allowed_hosts": sorted(hosts)})
        chosen = {**_addressed(manifest, against), **read_settings(described, settings, sandbox_origin=origin)}
        given = secrets.collect(manifest, source=secrets_file, from_env=from_env)
        return _Server(manifest, chosen, given, hosts, origin)
    from gtm_pipelines import sandbox

    worlds = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gtm-check-")))
    if manifest.id not in sandbox.accounts("", "acme"):
        return None
    sandbox.create_world(worlds, "acme", size=_WORLD, seed=1, vendors=[manifest.id])
    url = stack.enter_context(sandbox.running(worlds))
    account = sandbox.accounts(url, "acme")[manifest.id]
    return _Server(manifest, account.settings, account.credentials, frozenset(manifest.allowed_hosts), url)


def _place(against: str, manifest: Manifest) -> tuple[str | None, frozenset[str]]:
    """Return the loopback origin that may be called, if it is one, and the hosts that may be."""
    parts = urlsplit(against)
    hosts = frozenset(manifest.allowed_hosts)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"--against takes a URL such as https://api.vendor.com or http://127.0.0.1:9000, not {against!r}"
        )
    if parts.hostname in _LOOPBACK:
        return f"{parts.scheme}://{parts.netloc}", hosts
    return None, hosts | {parts.hostname}


def _addressed(manifest: Manifest, against: str) -> dict[str, str]:
    """Return the setting that sends the connector to ``against``; one set by hand wins."""
    addresses = [field.name for field in manifest.settings if field.type == "url"]
    described = manifest.ingestion is not None and manifest.ingestion.base_url is not None
    wanted = "base_url" if described or "base_url" in addresses else next(iter(addresses), None)
    if wanted is None:
        raise UsageError(f"{manifest.name} is not read over a URL; its tests judge it (docs/connectors.md, Prove it)")
    return {wanted: against}


def _manifest(connector: str) -> Manifest:
    from gtm_pipelines.cli.connectors import find_manifest

    return find_manifest(connector)


def _known(manifest: Manifest, entities: list[str]) -> None:
    names = [spec.name for spec in manifest.entities]
    if unknown := [name for name in entities if name not in names]:
        raise UsageError(f"{manifest.name} has no entity {', '.join(unknown)}; it has {', '.join(names)}")
