"""Judges a tenant's warehouse against the truth, and says what is wrong in words.

Two independent witnesses are used: the vendor's own ledger of records (which ids exist, which are gone) and a *twin*, a
warehouse filled by one undisturbed full sync (what each row should hold). Nothing here shares code with the pipeline:
plain SQL over the DuckDB file, plain byte search over files.
"""

from __future__ import annotations

import base64
import json
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import duckdb

KINDS = ("person", "account", "activity")
_CONTENT = {
    "person": "email, first_name, last_name, title, phone, account_external_id, properties::VARCHAR",
    "account": "name, domain, industry, employee_count, annual_revenue, properties::VARCHAR",
    "activity": "type, channel, occurred_at::VARCHAR, person_external_id, account_external_id, properties::VARCHAR",
}


@dataclass(frozen=True)
class Fault:
    """One thing found wrong: ``kind`` is lost, duplicate, stale, extra, regressed, foreign or secret."""

    kind: str
    where: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.where}: {self.key}"


def _rows(file: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def live_rows(file: Path, kind: str) -> dict[tuple[str, str], tuple[object, ...]]:
    """Map (source, external id) of each live canonical row of ``kind`` to its content."""
    sql = f"SELECT source, external_id, {_CONTENT[kind]} FROM canonical.{kind} WHERE NOT is_deleted"
    return {(str(row[0]), str(row[1])): row[2:] for row in _rows(file, sql)}


def find_duplicates(file: Path) -> list[Fault]:
    """Return keys that stand more than once in a canonical or raw table."""
    faults = []
    for kind in KINDS:
        sql = f"SELECT source, external_id FROM canonical.{kind} GROUP BY ALL HAVING count(*) > 1"
        faults += [Fault("duplicate", f"canonical.{kind}", f"{s}/{i}") for s, i in _rows(file, sql)]
    tables = _rows(
        file,
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema LIKE 'raw\\_%' ESCAPE '\\' "
        "AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\'",
    )
    for schema, table in tables:
        sql = f'SELECT external_id FROM "{schema}"."{table}" GROUP BY ALL HAVING count(*) > 1'
        faults += [Fault("duplicate", f"{schema}.{table}", str(row[0])) for row in _rows(file, sql)]
    return faults


def find_foreign(file: Path, tenant: str) -> list[Fault]:
    """Return canonical rows that carry another tenant's id."""
    return [
        Fault("foreign", f"canonical.{kind}", f"{source}/{key}")
        for kind in KINDS
        for source, key in _rows(
            file, f"SELECT source, external_id FROM canonical.{kind} WHERE tenant_id <> '{tenant}'"
        )
    ]


def compare_with_twin(file: Path, twin: Path) -> list[Fault]:
    """Compare live canonical rows with the twin's: rows missing, rows too many, rows whose content is out of date."""
    faults = []
    for kind in KINDS:
        have, want = live_rows(file, kind), live_rows(twin, kind)
        where = f"canonical.{kind}"
        faults += [Fault("lost", where, "/".join(key)) for key in sorted(want.keys() - have.keys())]
        faults += [Fault("extra", where, "/".join(key)) for key in sorted(have.keys() - want.keys())]
        faults += [
            Fault("stale", where, "/".join(key)) for key in sorted(want.keys() & have.keys()) if have[key] != want[key]
        ]
    return faults


def judge(file: Path, twin: Path, tenant: str) -> list[Fault]:
    """Everything that is wrong with a tenant's warehouse; an empty list is the only good answer."""
    return [*find_duplicates(file), *find_foreign(file, tenant), *compare_with_twin(file, twin)]


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


def find_secrets(root: Path, secrets: list[str]) -> list[Fault]:
    """Search every byte of every file below ``root`` for every form of every secret."""
    wanted = [(secret[:4], name, form) for secret in secrets for name, form in forms_of(secret).items()]
    faults = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        content = path.read_bytes()
        faults += [
            Fault("secret", str(path.relative_to(root)), f"{start}… as {name}")
            for start, name, form in wanted
            if form in content
        ]
    return faults
