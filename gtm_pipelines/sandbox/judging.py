"""How well golden people and accounts match the truth of a sandbox's world, source by source.

Only a sandbox can be judged so, because only there the truth is known. The measures are those of
:mod:`quality.identity.evaluation`; here canonical rows meet the real person or company they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from quality.identity import (
    Evaluation,
    Mistake,
    SourcePair,
    evaluate,
    evaluate_by_source,
    pairs_beyond_knowing,
    worst_mistakes,
)
from quality.normalise import company

if TYPE_CHECKING:
    from collections.abc import Hashable

    from gtm_pipelines.sandbox.ground_truth import Truth
    from gtm_pipelines.warehouse import Served

Kind = Literal["person", "account"]
_SHOWN = {"person": ("first_name", "last_name", "email", "phone"), "account": ("name", "domain")}
_MOST_RECORDS = 6


@dataclass(frozen=True, slots=True)
class Blunder:
    """A mistake with the records that show it, at most six: source, external id, golden id, real entity, values."""

    mistake: Mistake
    records: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """How right one tenant's golden people or accounts are."""

    kind: Kind
    overall: Evaluation
    by_source: list[SourcePair]
    worst: list[Blunder]
    unknown: int  # linked records the truth does not know, as rows a test put there
    beyond_knowing: int  # missed pairs of records that share nothing a rule could compare, not even through a third

    @property
    def missed(self) -> int:
        """True pairs that were not joined."""
        return self.overall.true_pairs - self.overall.right_pairs


def judge(warehouse: Served, truth: Truth, kind: Kind, *, most: int = 5) -> Judgement:
    """Hold the links of one kind against the truth; ``most`` mistakes are shown with their records."""
    real = {
        (row["connector"], row["external_id"]): row[f"{kind}_id"]
        for row in truth.records.to_pylist()
        if row[f"{kind}_id"] is not None
    }
    names = ("connector", "source", "external_id", "golden", *_SHOWN[kind])
    linked = [
        dict(zip(names, row, strict=True))
        for row in warehouse.rows(
            f"SELECT c.connector, c.source, c.external_id, l.{kind}_id, {', '.join(f'c.{f}' for f in _SHOWN[kind])}"
            f" FROM golden.{kind}_link l JOIN canonical.{kind} c USING (source, external_id)"
            " ORDER BY c.source, c.external_id"
        )
    ]
    known = [
        {**row, "real": real[row["connector"], row["external_id"]]}
        for row in linked
        if (row["connector"], row["external_id"]) in real
    ]
    pairs = [(row["golden"], row["real"]) for row in known]
    traits = _traits(warehouse, kind, known)
    return Judgement(
        kind,
        evaluate(pairs),
        evaluate_by_source((row["source"], row["golden"], row["real"]) for row in known),
        [_blunder(mistake, known) for mistake in worst_mistakes(pairs, most)],
        len(linked) - len(known),
        pairs_beyond_knowing((row["golden"], row["real"], traits[row["source"], row["external_id"]]) for row in known),
    )


def _traits(warehouse: Served, kind: Kind, known: list[dict[str, Any]]) -> dict[tuple[str, str], set[Hashable]]:
    """Return what each record shows that another could show too: a mailbox, a number, a name at a company, a domain."""
    found: dict[tuple[str, str], set[Hashable]] = {
        (row["source"], row["external_id"]): {
            (name, company.normal_form(row[name]) if name == "name" else row[name])
            for name in ("email", "phone", "name", "domain")
            if row.get(name) is not None
        }
        for row in known
    }
    if kind == "person":
        carried = "SELECT source, external_id, rule, value FROM golden.person_key WHERE rule <> 'employer'"
        for source, external_id, rule, value in warehouse.rows(carried):
            found.setdefault((source, external_id), set()).add((rule, value))
    return found


def _blunder(mistake: Mistake, known: list[dict[str, Any]]) -> Blunder:
    """Find records that show a mistake: some of each part."""
    subject, part = ("golden", "real") if mistake.kind == "mixed" else ("real", "golden")
    about = [row for row in known if row[subject] == mistake.subject]
    shown: list[dict[str, Any]] = []
    for each in mistake.parts:
        shown += [row for row in about if row[part] == each][: max(1, _MOST_RECORDS // len(mistake.parts))]
    return Blunder(mistake, tuple(shown[:_MOST_RECORDS]))
