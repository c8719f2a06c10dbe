"""What a delimited text file does not say about itself: its encoding, delimiter and column names.

They are found by looking, never by trusting the name, and every guess that could be wrong is put in words. Nothing
here reads records, see records.py, or doubts their quotes, see quoting.py.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from connectors.errors import Stop

if TYPE_CHECKING:
    from _csv import Reader
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_WIDE_SAMPLE = 1 << 20  # where a header alone fills the sample
_TELLING = 3  # lines, the last of them perhaps cut
_DELIMITERS = ",;\t|"
_BYTE_ORDER_MARKS = (  # the longest first: a UTF-32 mark begins with a UTF-16 one
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LONGEST_ROW = 12 << 20
"""Bytes. A record may have far less, but a longer row is still known for one and set aside by itself."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read one delimited file. ``names`` are its columns, made unique; ``notices`` say what was guessed."""

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    preamble: int  # lines before the header: Excel's own ``sep=;``, and blank ones
    has_rows: bool  # anything after the header
    notices: tuple[str, ...]


def dialect_of(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Dialect:
    """Look at a file and say how to read it; a declared encoding or delimiter is believed."""
    codec, notices = encoding_of(path, encoding)
    sample = _sample(path, codec)
    preamble = 0
    chosen = _declared(delimiter)
    if sample[:4].lower() == "sep=":
        line, _, sample = sample.partition("\n")
        chosen = chosen or line[4:5]
        preamble = 1
    chosen = chosen or delimiter_of(sample)
    rows = rows_of(io.StringIO(sample, newline=""), chosen)
    header: list[str] = []
    for row in rows:
        if any(cell.strip() for cell in row):
            header = row
            break
        preamble += 1  # a row without a word is a line: only words are quoted
    names, renamed = unique_names(header)
    return Dialect(codec, chosen, names, preamble, any(rows), (*notices, *renamed))


def _declared(delimiter: str | None) -> str | None:
    """Return the delimiter a setting names; a tabulator is hard to type and may be spelled."""
    known = {"\\t": "\t", "tab": "\t"}.get(delimiter or "", delimiter)
    if known and (len(known) > 1 or not known.isascii() or known in '"\r\n'):
        raise Stop("bad_setting", f"the setting 'delimiter' must be one character, as ; or \\t, and is {delimiter!r}")
    return known or None


def encoding_of(path: Path, declared: str | None = None) -> tuple[str, tuple[str, ...]]:
    """Return a codec that reads the whole file, and what to say about it when it is a guess; a declared one is not."""
    if declared:
        _check_codec(path, declared, "correct the setting 'encoding'")
        return declared, ()
    with path.open("rb") as stream:
        start = stream.read(4096)
        for mark, codec in _BYTE_ORDER_MARKS:
            if start.startswith(mark):
                _check_codec(path, codec, "which its first bytes promise; upload it again")
                return codec, ()
        if unmarked := _unmarked_utf16(start):
            _check_codec(path, unmarked, "which it looks like; upload it again, or set 'encoding'")
            return unmarked, (f"no byte-order mark, but the bytes look like {unmarked}: read as {unmarked}",)
    if _decodes(path, "utf-8"):
        return "utf-8", ()
    # cp1252 leaves five bytes undefined; latin-1 reads them as the control characters the web standard does
    codec = "cp1252" if _decodes(path, "cp1252") else "latin-1"
    return codec, (f"the bytes are not UTF-8: read as {codec} (Windows Western); set 'encoding' if that is wrong",)


def _check_codec(path: Path, codec: str, mend: str) -> None:
    """Raise Stop unless all of a file can be read in a codec: before its first row, not in the middle of it."""
    try:
        b"_".decode(codec, errors="ignore")  # names that no text is written in are refused here
        if _decodes(path, codec):
            return
    except (LookupError, UnicodeError):
        pass
    raise Stop("bad_encoding", f"{path.name} cannot be read as {codec}; {mend}")


def _unmarked_utf16(start: bytes) -> str | None:
    """Recognise UTF-16 without a mark: in Western text every other byte is zero, in any other text none is."""
    half = max(len(start) // 2, 1)
    if start[1::2].count(0) > half * 0.4 and start[::2].count(0) == 0:
        return "utf-16-le"
    if start[::2].count(0) > half * 0.4 and start[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _decodes(path: Path, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    with path.open("rb") as stream:
        try:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def open_utf8(path: Path, codec: str) -> pa.NativeFile:
    """Open a file as UTF-8 bytes without a byte-order mark, whatever it is written in."""
    stream = pa.OSFile(str(path), "rb")
    name = codecs.lookup(codec).name
    if name == "utf-8":
        return stream
    if name == "utf-8-sig":
        stream.seek(len(codecs.BOM_UTF8) if stream.read(3) == codecs.BOM_UTF8 else 0)
        return stream
    return pa.transcoding_input_stream(stream, name, "utf-8")


def _sample(path: Path, codec: str) -> str:
    """Return the first text of a file, with the whole of its header and more, however wide that is."""
    with path.open("r", encoding=codec, newline="") as stream:
        text = stream.read(_SAMPLE)
        return text if len(text.splitlines()) >= _TELLING else text + stream.read(_WIDE_SAMPLE)


def delimiter_of(sample: str) -> str:
    """Choose the delimiter that cuts most lines of a sample into the same number of columns, and into the most."""

    def score(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in rows_of(io.StringIO(sample, newline=""), delimiter) if row]
        if not widths or widths[0] == 1:
            return 0.0, 0
        return round(widths.count(widths[0]) / len(widths), 1), widths[0]

    return max(_DELIMITERS, key=score)  # the first of equals: a comma


def unique_names(header: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give every column a name of its own, and say which were changed: two columns of one name would lose a value."""
    names: list[str] = []
    notices: list[str] = []
    taken = {name.strip() for name in header}
    for position, written in enumerate(header, start=1):
        name = written.strip() or f"column_{position}"
        if name in names or (not written.strip() and name in taken):
            stem, number = name, 2
            while name in names or name in taken:
                name, number = f"{stem}_{number}", number + 1
        if name != written.strip():
            notices.append(
                f"column {position} {'has no name' if not written.strip() else f'repeats {stem!r}'}: {name!r}"
            )
        names.append(name)
    return tuple(names), tuple(notices)


def ragged_lines(path: Path, dialect: Dialect) -> Iterator[int]:
    """Yield the line number on which each row of the wrong width starts, in order; for pointing a person at it."""
    with path.open("r", encoding=dialect.encoding, newline="") as text:
        for _ in range(dialect.preamble):
            next(text, None)
        reader = rows_of(text, dialect.delimiter)
        start = 1
        for row in reader:
            if row and len(row) != len(dialect.names):
                yield start + dialect.preamble
            start = reader.line_num + 1


def first_value(text: str, dialect: Dialect) -> str | None:
    """Return the first value of a row, whatever its width; None when it is blank."""
    return next(iter(next(rows_of(io.StringIO(text, newline=""), dialect.delimiter), [])), "").strip() or None


def rows_of(lines: Iterable[str], delimiter: str, *, strict: bool = False) -> Reader:
    """Cut lines into rows; with ``strict``, a value that goes on behind its closing quote is a csv.Error."""
    csv.field_size_limit(LONGEST_ROW)
    return csv.reader(lines, delimiter=delimiter, strict=strict)
