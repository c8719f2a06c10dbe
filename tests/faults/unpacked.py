"""All that stands in a file, whichever way it is packed: a search through bytes alone does not see what is compressed.

Every file is told as its bytes, and besides: each table of a DuckDB, SQLite or Parquet file as text; what is inside of
zip, gzip, zlib and Zstandard; and compressed runs that stand in text as base64 or hexadecimal, as dlt keeps its state
and a dump its binary columns. What is looked for in it is not known here.
"""

from __future__ import annotations

import base64
import io
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

_DEPTH = 4
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_GZIP, _ZSTANDARD, _ZIP = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_DUCKDB, _SQLITE, _PARQUET = b"DUCK", b"SQLite format 3\0", b"PAR1"
# What the beginnings above become; looked for at every byte, for a run may begin inside of what only looks like one.
_BASE64 = re.compile(rb"(?=((?:eAE|eF[4-7]|eJ[w-z]|eN[o-r]|H4sI|KLUv)[A-Za-z0-9+/_-]{16,}={0,2}))")
_HEXADECIMAL = re.compile(rb"(?=((?:7801|785e|789c|78da|1f8b08|28b52ffd)(?:[0-9a-f]{2}){12,}))", re.IGNORECASE)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class Piece(NamedTuple):
    """Some of what a file holds; ``where`` says which file, and what of it."""

    where: str
    content: bytes


def pieces(file: Path, name: str) -> Iterator[Piece]:
    """Tell all that stands in a file, which is called ``name``."""
    content = file.read_bytes()
    yield from _told(Piece(name, content), _DEPTH)
    for table, text in _tables(file, content):
        yield from _told(Piece(f"{name}, table {table}", text.encode("utf-8", "replace")), _DEPTH)


def _told(piece: Piece, depth: int) -> Iterator[Piece]:
    yield piece
    if depth:
        for how, content in _inside(piece.content):
            yield from _told(Piece(f"{piece.where}, {how}", content), depth - 1)


def _inside(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Tell what is packed in these bytes."""
    if content.startswith(_ZIP):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist())
    if whole := _opened(content):
        yield "unpacked", whole
    for spelled, runs in (
        ("base64", (_from_base64(run) for run in _BASE64.findall(content))),
        ("hexadecimal", (bytes.fromhex(run.decode()) for run in _HEXADECIMAL.findall(content))),
    ):
        if opened := [text for text in map(_opened, runs) if text]:
            yield f"packed in {spelled}", b"\n".join(opened)


def _from_base64(run: bytes) -> bytes:
    return base64.b64decode(run[: len(run) // 4 * 4].translate(_URL_SAFE))


def _opened(content: bytes) -> bytes:
    """Return what is compressed here; nothing where it only began like it."""
    try:
        if content.startswith(_ZLIB):
            return zlib.decompressobj().decompress(content)
        if content.startswith(_GZIP):
            return _gunzipped(content)
        if content.startswith(_ZSTANDARD):
            with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
                return bytes(stream.read())
    except (zlib.error, OSError):
        return b""
    return b""


def _gunzipped(content: bytes) -> bytes:
    parts = []
    while content.startswith(_GZIP):
        member = zlib.decompressobj(31)  # gzip's own head
        parts.append(member.decompress(content))
        content = member.unused_data
    return b"".join(parts)


def _tables(file: Path, content: bytes) -> Iterator[tuple[str, str]]:
    """Tell each table of a file that has tables, as text."""
    if content.startswith(_SQLITE):
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as opened:
            names = opened.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            for (name,) in names:
                yield name, _text(opened.execute(f'SELECT * FROM "{name}"').fetchall())
    elif content[8:12] == _DUCKDB:
        with duckdb.connect(str(file), read_only=True) as stored:
            found = stored.execute("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
            for schema, name in found:
                yield f"{schema}.{name}", _rows(stored, f'"{schema}"."{name}"')
            yield "of views", _rows(stored, "duckdb_views()")
    elif content.startswith(_PARQUET):
        with duckdb.connect() as reader:
            yield "of Parquet", _rows(reader, f"read_parquet('{file}')")


def _rows(stored: duckdb.DuckDBPyConnection, table: str) -> str:
    """Read a table as text: what DuckDB makes of each value, but bytes in full."""
    described = stored.execute(f"DESCRIBE FROM {table}").fetchall()
    columns = [f'lower(hex("{name}"))' if kind == "BLOB" else f'"{name}"::VARCHAR' for name, kind, *_ in described]
    return _text(stored.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall())


def _text(rows: list[tuple[Any, ...]]) -> str:
    return "\n".join("\t".join(each.hex() if isinstance(each, bytes) else str(each) for each in row) for row in rows)
