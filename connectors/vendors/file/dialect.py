"""What a delimited text file does not say about itself: its encoding, delimiter and column names.

They are found by looking, never by trusting the name, and every guess that could be wrong is put in words. Nothing
here reads records; see records.py.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa

from connectors.errors import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_DELIMITERS = ",;\t|"
_BYTE_ORDER_MARKS = (  # the longest first: a UTF-32 mark begins with a UTF-16 one
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_AFTER_THE_END = "\x03\x03"  # a row no file ends with
_FIELD_LIMIT = 1 << 20  # as large as a whole record may be; Python's own limit of 131,072 refuses long notes


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read one delimited file. ``names`` are its columns, made unique; ``notices`` say what was guessed."""

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    preamble: int  # lines before the header: Excel's own ``sep=;``
    has_rows: bool  # anything after the header
    notices: tuple[str, ...]


def dialect_of(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Dialect:
    """Look at a file and say how to read it; a declared encoding or delimiter is believed."""
    codec, notices = encoding_of(path, encoding)
    sample = _sample(path, codec)
    preamble = 0
    if sample[:4].lower() == "sep=":
        line, _, sample = sample.partition("\n")
        delimiter = delimiter or line[4:5]
        preamble = 1
    delimiter = delimiter or delimiter_of(sample)
    rows = _rows(io.StringIO(sample, newline=""), delimiter)
    names, renamed = unique_names(next(rows, []))
    return Dialect(codec, delimiter, names, preamble, any(rows), (*notices, *renamed))


def encoding_of(path: Path, declared: str | None = None) -> tuple[str, tuple[str, ...]]:
    """Return a codec that reads the whole file, and what to say about it when it is a guess; a declared one is not."""
    if declared:
        return declared, ()
    with path.open("rb") as stream:
        start = stream.read(4096)
        for mark, codec in _BYTE_ORDER_MARKS:
            if start.startswith(mark):
                return codec, ()
        if unmarked := _unmarked_utf16(start):
            return unmarked, (f"no byte-order mark, but the bytes look like {unmarked}: read as {unmarked}",)
        stream.seek(0)
        if _decodes(iter(lambda: stream.read(_CHUNK), b""), "utf-8"):
            return "utf-8", ()
        stream.seek(0)
        # cp1252 leaves five bytes undefined; latin-1 reads them as the control characters the web standard does
        codec = "cp1252" if _decodes(iter(lambda: stream.read(_CHUNK), b""), "cp1252") else "latin-1"
    return codec, (f"the bytes are not UTF-8: read as {codec} (Windows Western); set 'encoding' if that is wrong",)


def _unmarked_utf16(start: bytes) -> str | None:
    """Recognise UTF-16 without a mark: in Western text every other byte is zero, in any other text none is."""
    half = max(len(start) // 2, 1)
    if start[1::2].count(0) > half * 0.4 and start[::2].count(0) == 0:
        return "utf-16-le"
    if start[::2].count(0) > half * 0.4 and start[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _decodes(chunks: Iterator[bytes], codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
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
    """Return the first text of a file; a codec nobody knows, or that cannot read it, is a wrong setting."""
    try:
        with path.open("r", encoding=codec, newline="") as stream:
            return stream.read(_SAMPLE)
    except (LookupError, UnicodeError) as error:
        raise Stop("bad_encoding", f"{path.name} cannot be read as {codec}; correct the setting 'encoding'") from error


def delimiter_of(sample: str) -> str:
    """Choose the delimiter that cuts most lines of a sample into the same number of columns, and into the most."""

    def score(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in _rows(io.StringIO(sample, newline=""), delimiter) if row]
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


def unclosed_quote(path: Path, dialect: Dialect) -> int | None:
    """Return the line on which a quote opens that nothing closes, or None.

    Such a quote swallows every later line into one field, and a tolerant parser calls that a good row. Only a file
    with an odd number of quotes can have one, so most files cost one scan of their bytes.
    """
    with open_utf8(path, dialect.encoding) as stream:
        if sum(chunk.count(b'"') for chunk in iter(lambda: stream.read(_CHUNK), b"")) % 2 == 0:
            return None
    opened = following = 1
    with path.open("r", encoding=dialect.encoding, newline="") as text:
        reader = csv.reader(chain(text, [_AFTER_THE_END]), delimiter=dialect.delimiter)
        try:
            for row in reader:
                if row == [_AFTER_THE_END]:
                    return None
                opened, following = following, reader.line_num + 1
        except csv.Error:  # the swallowed field outgrew every limit
            return following
    return opened


def ragged_lines(path: Path, dialect: Dialect) -> Iterator[int]:
    """Yield the line number on which each row of the wrong width starts, in order; for pointing a person at it."""
    with path.open("r", encoding=dialect.encoding, newline="") as text:
        for _ in range(dialect.preamble):
            next(text, None)
        reader = csv.reader(text, delimiter=dialect.delimiter)
        start = 1
        for row in reader:
            if row and len(row) != len(dialect.names):
                yield start + dialect.preamble
            start = reader.line_num + 1


def first_value(text: str, dialect: Dialect) -> str | None:
    """Return the first value of a row, whatever its width; None when it is blank."""
    return next(iter(next(_rows(io.StringIO(text, newline=""), dialect.delimiter), [])), "").strip() or None


def _rows(text: io.StringIO, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(_FIELD_LIMIT)
    return csv.reader(text, delimiter=delimiter)
