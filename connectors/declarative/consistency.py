"""What no single section of a manifest can see: whether its sections fit together."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.declarative import template, times
from connectors.declarative.changes import Events, SinceId, TimestampFilter, TokenDelta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.declarative.model import Polling
    from connectors.declarative.words import Endpoint
    from connectors.manifest import Auth, EntitySpec, Manifest

URL = re.compile(r"https://[a-z0-9.-]+(/[A-Za-z0-9._~/-]*)?")


def generic_faults(manifest: Manifest, fields: set[str], settings: set[str]) -> Iterator[str]:
    """Yield what is missing or contradictory in a generic connector's manifest."""
    polling = manifest.ingestion
    if polling is None or polling.base_url is None or not URL.fullmatch(polling.base_url):
        yield "a generic connector needs ingestion.base_url: https, a host and a path, without placeholders"
        return
    if not manifest.allowed_hosts:
        yield "a generic connector needs allowed_hosts"
    if manifest.health_check is None:
        yield "a generic connector needs a health_check"
    yield from _auth_faults(manifest.auth, fields)
    for name in sorted(set(template.names(manifest.auth.authority or "")) - {f"settings.{name}" for name in settings}):
        yield f"auth.authority uses {{{{{name}}}}}, which is no setting of this connector"
    base = {f"settings.{name}" for name in settings} | {f"lookup.{name}" for name in manifest.lookups}
    settled = {each for each in base if each.startswith("settings.")}
    for name, lookup in manifest.lookups.items():
        yield from _unknown(f"lookup {name}", lookup.endpoint, settled | {"page.size"})
    if manifest.health_check is not None:
        yield from _unknown("health_check", manifest.health_check, settled)
    if manifest.quota is not None and manifest.quota.ask is not None:
        yield from _unknown("quota.ask", manifest.quota.ask, settled)
    for spec in manifest.entities:
        yield from _Entity(manifest, spec, polling, base | {"page.size"}).faults()


def _auth_faults(auth: Auth, fields: set[str]) -> Iterator[str]:
    needed: set[str] = set()
    if auth.type == "oauth2":
        if auth.grant is None or (auth.authority if auth.grant == "msal" else auth.token_url) is None:
            yield "auth.type oauth2 needs grant and token_url (grant msal: authority)"
        needed = {"client_id"} | ({"refresh_token"} if auth.grant == "refresh_token" else set())
        if auth.grant == "jwt_bearer" and auth.audience is None:
            yield "auth.grant jwt_bearer needs audience"
    elif auth.type not in ("none", "webhook_secret"):
        if auth.delivery is not None and auth.deliveries:
            yield "auth has delivery or deliveries, not both"
        if not auth.all_deliveries or any(each.field is None for each in auth.all_deliveries):
            yield "auth needs delivery: where the credential goes and which field it is"
        else:
            named = [name for each in auth.all_deliveries for name in (each.field, each.password_field)]
            needed = {name for name in named if name}
    yield from (
        f"auth uses the field {name!r}, which auth.fields does not declare" for name in needed if name not in fields
    )


class _Entity:
    """The checks of one entity; ``known`` are the placeholders that all of its endpoints may use."""

    def __init__(self, manifest: Manifest, spec: EntitySpec, polling: Polling, known: set[str]) -> None:
        self._manifest = manifest
        self._spec = spec
        self._where = f"entity {spec.name}"
        self._polling = polling
        self._delta = spec.delta or polling.delta
        self._known = known | {f"parent.{name}" for name in self._given_by_parent()}

    def faults(self) -> Iterator[str]:
        """Yield every fault."""
        spec = self._spec
        if spec.endpoint is None:
            yield f"{self._where} needs an endpoint"
            return
        if (spec.pagination or self._polling.pagination) is None:
            yield f"{self._where} needs pagination (type: none when everything comes in one answer)"
        yield from self._parent_faults()
        yield from self._beside_faults()
        own = self._known
        if isinstance(self._delta, TimestampFilter):
            yield from self._timeline_faults(self._delta)
            own = own if self._delta.endpoint else self._known | {"delta.since", "delta.until"}
        elif isinstance(self._delta, TokenDelta):
            own = self._known | {"delta.since_id" if isinstance(self._delta, SinceId) else "delta.token"}
        elif isinstance(self._delta, Events):
            yield from self._event_faults(self._delta)
        yield from _unknown(self._where, spec.endpoint, own)
        for name in _names_of_headers(self._polling.headers) - own:
            yield f"{self._where} uses {{{{{name}}}}}, which is not declared"

    def _given_by_parent(self) -> set[str]:
        parent = self._spec.parent
        if parent is None:
            return set()
        return {parent.batch.name} if parent.batch else {*parent.values, *parent.each}

    def _parent_faults(self) -> Iterator[str]:
        parent, where = self._spec.parent, self._where
        if parent is None:
            return
        if parent.entity not in {each.name for each in self._manifest.entities} or parent.entity == self._spec.name:
            yield f"{where} fans out from {parent.entity!r}, which is no other entity of this connector"
        settings = {f"settings.{field.name}" for field in self._manifest.settings}
        yield from (
            f"{where} reads each of {name}, which is no setting"
            for name in parent.each.values()
            if name not in settings
        )
        is_token = isinstance(self._delta, TokenDelta)
        if parent.own_cursor != is_token:
            yield f"{where} has parents: a delta by token, cursor or id needs parent.own_cursor, no other delta has it"
        if isinstance(self._delta, Events) or (isinstance(self._delta, TimestampFilter) and self._delta.endpoint):
            yield f"{where} has parents: neither an event log nor an endpoint for changes goes with them"
        if self._spec.refresh is not None:
            yield f"{where} has parents: sweep reads them again, refresh does not"
        if parent.changed_only and self._spec.sweep is not None:
            yield f"{where} is swept whole: parent.changed_only would leave the others out"

    def _beside_faults(self) -> Iterator[str]:
        spec, where = self._spec, self._where
        if spec.sweep is not None and (self._delta is not None or spec.refresh is not None or spec.deletes):
            yield f"{where} is swept: it has no delta, refresh or deletes"
        if spec.refresh is not None and self._delta is None:
            yield f"{where} has no delta, so that every read is whole: refresh means nothing"
        if (spec.deletes or spec.merged_ids) and not spec.delete_detection.is_observed:
            yield f"{where} learns of deletes as it reads: delete_detection is observed or both"
        if spec.deletes and spec.cursor is None:
            yield f"{where} has deletes, which are for entities with a cursor"
        for source in spec.deletes:
            yield from _unknown(f"{where}, deletes", source.endpoint, self._known | {"delta.since"})

    def _timeline_faults(self, delta: TimestampFilter) -> Iterator[str]:
        spec, where = self._spec, self._where
        if spec.timestamp is None:
            yield f"{where} filters by time and needs the timestamp path that the watermark is taken from"
        if not delta.inclusive and spec.lag <= timedelta(0) and spec.reread <= timedelta(0):
            yield f"{where} would lose records that share a timestamp: declare a lag, or inclusive: true"
        if spec.parent is not None and delta.restart is not None:
            yield f"{where} has parents: restart is for entities without"
        yield from self._window_faults(delta)
        yield from self._search_faults(delta)

    def _window_faults(self, delta: TimestampFilter) -> Iterator[str]:
        spec, where = self._spec, self._where
        asked = delta.endpoint or spec.endpoint
        used = asked.names() if asked else set()
        if (delta.window or delta.second_pass) and delta.until_param is None and "delta.until" not in used:
            yield f"{where} reads stretches of time that end: name until_param or use {{{{delta.until}}}}"
        if delta.second_pass and delta.second_pass.behind <= spec.settle:
            yield f"{where} has a second pass that is not behind its settle time, so it would see nothing more"
        if delta.window and delta.window < 2 * times.unit(delta.format):
            yield f"{where} has a window shorter than two units of its format {delta.format}"
        if delta.history and delta.endpoint is None and spec.delete_detection.proves_absence:
            yield f"{where} reads no further back than its history: a full read proves no absence"
        if delta.history_setting and delta.history_setting not in {each.name for each in self._manifest.settings}:
            yield f"{where}: history_setting {delta.history_setting!r} is no setting of this connector"

    def _search_faults(self, delta: TimestampFilter) -> Iterator[str]:
        where = self._where
        known = self._known | {"delta.since", "delta.until"}
        if delta.endpoint is not None:
            yield from _unknown(f"{where}, delta", delta.endpoint, known)
        if delta.restart is not None and delta.restart.ties is not None:
            ties = self._known | {"tie.at", "tie.until", "tie.after_id"}
            yield from _unknown(f"{where}, ties", delta.restart.ties.endpoint, ties)
            if "tie.after_id" not in delta.restart.ties.endpoint.names():
                yield f"{where}: ties are listed page by page, so their endpoint uses {{{{tie.after_id}}}}"

    def _event_faults(self, delta: Events) -> Iterator[str]:
        yield from _unknown(f"{self._where}, delta", delta.endpoint, self._known | {"delta.since"})
        if delta.fetch is not None:
            yield from _unknown(f"{self._where}, fetch", delta.fetch, self._known | {"event.object_id"})
        if delta.gone is not None and not self._spec.delete_detection.is_observed:
            yield f"{self._where} learns of deletes from its events: delete_detection is observed or both"


def _unknown(where: str, endpoint: Endpoint, known: set[str]) -> Iterator[str]:
    yield from (
        f"{where} uses {{{{{name}}}}}, which is not declared; known are {', '.join(sorted(known))}"
        for name in sorted(endpoint.names() - known)
    )


def _names_of_headers(headers: dict[str, str]) -> set[str]:
    return set(template.names_in(headers))
