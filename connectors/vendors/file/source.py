"""The file connector. Code, because there is no HTTP to describe: it reads a folder.

An entity is the set of files its pattern matches. Its cursor says which contents were read; a file whose content is new
is read whole, and merging on the key makes that cheap for the rows that did not change. What a file looks like is
dialect.py's, its records records.py's, which files there are files.py's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar

from connectors import registry
from connectors.connector import (
    Connector,
    Credentials,
    FieldMapping,
    HealthStatus,
    Mode,
    Page,
    Unreadable,
)
from connectors.declarative.catalogue import default_schema
from connectors.errors import ConnectorError, Stop
from connectors.landing import RAW_SCHEMA, Landed, RecordShape, land_records
from connectors.runtime import paths
from connectors.vendors.file import files, records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.connector import Cursor, Entity, SyncOptions
    from connectors.manifest import Manifest
    from connectors.vendors.file.files import SourceFile

_ROWS = 10_000
_REMEMBERED = 200  # files a cursor lists one by one; beyond that it holds one digest for all of them


@dataclass(frozen=True, slots=True)
class _Folder:
    """The files of one entity with the identity of their content, and what is known of each."""

    files: list[SourceFile]
    states: Mapping[str, dict[str, Any]]
    left_out: tuple[str, ...]
    times: str | None = None  # of files too many to be remembered, once times may stand for their contents
    unmoved: Cursor | None = None  # the cursor there is, when by their times nothing happened to them

    def unread(self, cursor: Cursor) -> list[SourceFile]:
        """Return the files whose content the cursor does not vouch for."""
        if "digest" in cursor:
            return [] if cursor["digest"] == self._digest() else self.files
        known = cursor.get("files", {})
        return [f for f in self.files if known.get(f.name, {}).get("content") != self.states[f.name]["content"]]

    def cursor(self) -> Cursor:
        """Return the cursor once every file is read: short however many files there are."""
        if self.unmoved is not None:
            return self.unmoved
        if len(self.files) > _REMEMBERED:
            return {"digest": self._digest(), **({"times": self.times} if self.times else {})}
        return {"files": dict(self.states)}

    def cursor_after(self, cursor: Cursor, done: set[str]) -> Cursor | None:
        """Return the cursor while files remain: those just read, and of the others what was known before."""
        if len(self.files) > _REMEMBERED or "digest" in cursor:
            return None
        known = cursor.get("files", {})
        kept = {name: known[name] for name in self.states if name in known and name not in done}
        return {"files": kept | {name: self.states[name] for name in done}}

    def _digest(self) -> str:
        named = sorted(f"{name}\0{state['content']}" for name, state in self.states.items())
        return blake2b("\n".join(named).encode(), digest_size=16).hexdigest()


class FileConnector(Connector):
    """Reads people, accounts and activities from csv, jsonl and parquet files."""

    manifest: ClassVar[Manifest] = registry.manifest("file")

    def authenticate(self) -> Credentials:
        """Return an empty session: the folder's permissions are the only key."""
        return Credentials(base_url=files.folder_of(self._setting("folder")).as_uri(), auth=None)

    def entities(self) -> list[Entity]:
        """List people, accounts and activities; their names are fixed, their patterns are settings."""
        return registry.entities(self.id)

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read the files whose content the cursor does not know, oldest first; all of them in full mode."""
        del credentials
        if options.entity not in {entity.name for entity in self.entities()}:
            raise Stop("unknown_entity", f"files hold people, accounts and activities, not {options.entity!r}")
        known: Cursor = {} if options.mode is Mode.FULL else (cursor or {})
        with files.being_there():
            yield from self._walk(options, known)

    def _walk(self, options: SyncOptions, known: Cursor) -> Iterator[Page]:
        folder = self._folder(options.entity, known)
        done: set[str] = set()
        pending = replace(_empty_page(), notices=folder.left_out)
        for file in folder.unread(known):
            for page in self._read(file, options.page_size or _ROWS):
                if pending.rows.num_rows or pending.unreadable or pending.notices:
                    yield pending
                pending = page
            files.check_untouched(file)
            done.add(file.name)
            pending = replace(pending, cursor=folder.cursor_after(known, done))
        yield replace(pending, cursor=folder.cursor(), has_more=False)

    def get_schema(self, credentials: Credentials | None = None) -> list[FieldMapping]:
        """Return the fields the default mapping knows; with credentials, the columns the files really have."""
        shipped = default_schema(self.manifest, registry.mapping_path(self.id))
        if credentials is None:
            return shipped
        mapped = {(item.entity, item.source): item for item in shipped}
        found = [
            mapped.get((entity.name, column)) or FieldMapping(entity.name, column, "string")
            for entity in self.entities()
            for column in self._columns(entity.name)
        ]
        return found or shipped

    def health_check(self, credentials: Credentials) -> HealthStatus:
        """Look for the files and at the first bytes of the newest of each entity."""
        del credentials
        parts: list[str] = []
        any_file = False
        try:
            with files.being_there():
                for entity in self.entities():
                    found = self._files(entity.name)
                    parts += [f"{entity.name}: {len(found.files)} files", *found.left_out]
                    for newest in found.files[-1:]:
                        any_file = True
                        parts += self._open(newest).notices
        except ConnectorError as error:
            return HealthStatus(ok=False, detail=error.message, checked_at=self.context.clock())
        return HealthStatus(ok=any_file, detail="; ".join(parts), checked_at=self.context.clock())

    def _setting(self, name: str) -> Any:
        return self.context.settings.get(name)

    @property
    def _key(self) -> str:
        return str(self._setting("id_column") or "id")

    def _files(self, entity: str) -> files.Found:
        pattern = str(self._setting(entity) or f"{entity}*")
        found = files.matching(files.folder_of(self._setting("folder")), pattern)
        if not found.files and self._setting(entity):
            said = "; ".join(("", *found.left_out))
            raise Stop("no_files", f"no file matches {pattern!r}, which the setting {entity!r} names{said}")
        return found

    def _folder(self, entity: str, cursor: Cursor) -> _Folder:
        found = self._files(entity)
        now_ns = int(self.context.clock().timestamp() * 1e9)
        times = files.times_of(found.files, now_ns) if len(found.files) > _REMEMBERED else None
        if times is not None and times == cursor.get("times"):
            return _Folder([], {}, found.left_out, unmoved=cursor)
        known = cursor.get("files", {})
        states = {file.name: _state(file, known.get(file.name), now_ns) for file in found.files}
        return _Folder(found.files, states, found.left_out, times)

    def _open(self, file: SourceFile, rows: int = _ROWS) -> records.Reading:
        return records.open_records(
            file,
            rows=rows,
            key=self._key,
            encoding=self._setting("encoding"),
            delimiter=self._setting("delimiter"),
        )

    def _columns(self, entity: str) -> list[str]:
        """Return the columns of an entity's files, in the order they are met."""
        with files.being_there():
            columns = [column for file in self._files(entity).files for column in self._open(file).columns or ()]
        return list(dict.fromkeys(columns))

    def _read(self, file: SourceFile, rows: int) -> Iterator[Page]:
        reading = self._open(file, rows)
        notices = [*reading.notices, *self._unmet(reading.columns)]
        if notices:
            yield replace(_empty_page(), notices=tuple(f"{file.name}: {notice}" for notice in notices))
        shape = self._shape(file, reading.columns)
        for batch in reading.batches:
            landed, unreadable = _landed(batch, shape)
            yield Page(landed.table, None, has_more=True, unreadable=unreadable)

    def _unmet(self, columns: tuple[str, ...] | None) -> Iterator[str]:
        """Say which optional column a file does not have: without it, an older version may replace a newer one."""
        stamp = self._setting("updated_column")
        if stamp and columns and stamp not in columns:
            yield f"no column {stamp!r}, which the setting 'updated_column' names: its rows have no time of change"

    def _shape(self, file: SourceFile, columns: tuple[str, ...] | None) -> RecordShape:
        key, stamp = self._key, self._setting("updated_column")
        if columns is None:  # JSON Lines: every line has its own fields, and a path may lead into them
            changed = _checked("updated_column", stamp) if stamp else None
            return RecordShape(items="$", id=_checked("id_column", key), timestamp=changed)
        if columns and key not in columns:
            raise Stop(
                "no_id_column",
                f"{file.name} has no column {key!r} to know its rows by; it has {', '.join(columns[:20])}: "
                "name one of them in the setting 'id_column'",
            )
        changed = _path("updated_column", stamp) if stamp in columns else None
        return RecordShape(items="$", id=_path("id_column", key), timestamp=changed)


def _path(setting: str, column: str) -> str:
    """Return the path of a top-level column, whose name may hold dots, spaces and quotes."""
    escaped = column.replace("\\", "\\\\").replace("'", "\\'")
    return _checked(setting, f"['{escaped}']")


def _checked(setting: str, path: str) -> str:
    """Return the path a setting names, if it is one."""
    try:
        steps = paths.parse(path)
    except paths.PathError as error:
        raise Stop("bad_setting", f"the setting {setting!r} does not lead to a value: {error}") from error
    if any(isinstance(step, str) and (not step.isprintable() or {'"', "\\"} & set(step)) for step in steps):
        raise Stop("bad_setting", f'the setting {setting!r} names a column with " or \\ in it: rename it in the export')
    return path


def _state(file: SourceFile, known: Mapping[str, Any] | None, now_ns: int) -> dict[str, Any]:
    """Return what identifies a file's content; times that did not move spare reading the file."""
    times = {"modified_ns": file.modified_ns, "changed_ns": file.changed_ns}
    if known and times.items() <= known.items() and known["content"].startswith(f"{file.size}:"):
        return dict(known)
    content = {"content": files.digest(file)}
    return {**content, **times} if files.is_settled(file, now_ns) else content


def _landed(batch: records.Batch, shape: RecordShape) -> tuple[Landed, tuple[Unreadable, ...]]:
    """Land a batch; a line that is no record is named by its number where the batch knows it."""
    landed = land_records(batch.records, shape)
    return landed, (*batch.unreadable, *batch.located(landed.unreadable))


def _empty_page() -> Page:
    return Page(RAW_SCHEMA.empty_table(), None, has_more=True)


CONNECTOR = FileConnector
