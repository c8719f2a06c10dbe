"""The hunt for secrets: every form of every one of them, in every file below a folder, whichever way it is packed.

Which secrets there are, and what left the files, is not known here.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tests.faults.unpacked import Piece, pieces

_CHUNK = 16 << 20
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_ENVELOPE = b"gtm1."


@dataclass(frozen=True)
class Found:
    """A secret that stands somewhere; it is called by its name here."""

    where: str
    secret: str
    form: str

    def __str__(self) -> str:
        return f"{self.secret} as {self.form} in {self.where}"


@dataclass
class Hunt:
    """What was looked through, and what was found."""

    files: int = 0
    tables: int = 0
    packed: int = 0
    bytes: int = 0
    sealed: int = 0  # credentials as they should stand
    found: list[Found] = field(default_factory=list)

    def count(self, piece: Piece) -> None:
        """Count a piece that was looked through."""
        inside = piece.where.partition(", ")[2]
        self.files += not inside
        self.tables += inside.startswith("table ") and "," not in inside
        self.packed += "packed" in inside
        self.bytes += len(piece.content)
        self.sealed += piece.content.count(_ENVELOPE)


class Needles:
    """All forms of all secrets, looked for at once."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Look for ``secrets``, which are known by their names."""
        self._named: dict[str, list[tuple[str, str]]] = {}
        for name, secret in secrets.items():
            for form, spelled in forms_of(secret).items():
                for each in {spelled, spelled.translate(_URL_SAFE)} if "base64" in form else {spelled}:
                    self._named.setdefault(each.decode("latin-1"), []).append((name, form))
        self._patterns = list(self._named)
        self._longest = max(map(len, self._patterns))

    def __len__(self) -> int:
        return len(self._patterns)

    def find(self, piece: Piece) -> Iterator[Found]:
        """Tell which secrets stand in a piece, each form once."""
        met: set[str] = set()
        for start in range(0, max(len(piece.content), 1), _CHUNK):
            text = piece.content[start : start + _CHUNK + self._longest].decode("latin-1")
            found = pl.Series([text]).str.extract_many(self._patterns, overlapping=True).item()
            met.update(found)
        for spelled in sorted(met):
            yield from (Found(piece.where, name, form) for name, form in self._named[spelled])


def forms_of(secret: str) -> dict[str, bytes]:
    """Spell a secret the ways it could leak: plain, base64 (three alignments), hex, URL-encoded, JSON, reversed…"""
    raw = secret.encode()
    forms = {
        "plain": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "url": urllib.parse.quote(secret, safe="").encode(),
        "json": json.dumps(secret)[1:-1].encode(),
        "utf-16": secret.encode("utf-16-le"),
        "reversed": raw[::-1],
    }
    for shift in range(3):  # base64 of a longer text that contains the secret at any offset
        padded = base64.b64encode(b"\0" * shift + raw)
        forms[f"base64+{shift}"] = padded[4 if shift else 0 : len(padded) - 4]
    first_named = {form: name for name, form in reversed(forms.items())}  # several spellings of a plain word are equal
    return {name: form for form, name in first_named.items() if len(form) >= 8}


def hunt(root: Path, needles: Needles, *, leave_out: Path | None = None) -> Hunt:
    """Look through everything below ``root``, names of files too, but for one folder that is somebody else's."""
    names = {file: str(file.relative_to(root)) for file in _files(root, leave_out)}
    done = Hunt(found=list(needles.find(Piece("a file's name", "\n".join(names.values()).encode()))))
    for file, name in names.items():
        for piece in pieces(file, name):
            done.count(piece)
            done.found += needles.find(piece)
    return done


def _files(root: Path, leave_out: Path | None) -> Iterator[Path]:
    for place, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if Path(place, each) != leave_out)
        yield from (Path(place, each) for each in sorted(files) if Path(place, each).is_file())
