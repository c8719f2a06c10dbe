"""How right a resolution is, pair by pair, against a known truth.

A pair of records is right when both the truth and the resolution put them together. Pairs are counted from group sizes,
never listed, so a million records cost a million steps.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Counts of record pairs, and the two shares people ask for (1.0 when there was nothing to find or to claim)."""

    records: int
    true_pairs: int
    claimed_pairs: int
    right_pairs: int
    mixed: tuple[Hashable, ...]  # clusters that hold records of more than one real entity, at most 20
    scattered: tuple[Hashable, ...]  # real entities spread over more than one cluster, at most 20

    @property
    def precision(self) -> float:
        """Share of the claimed pairs that are right."""
        return self.right_pairs / self.claimed_pairs if self.claimed_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were claimed."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def evaluate(records: Iterable[tuple[Hashable, Hashable]]) -> Evaluation:
    """Judge (cluster, real entity) pairs, one per record."""
    cells = Counter(records)
    clusters: Counter[Hashable] = Counter()
    entities: Counter[Hashable] = Counter()
    entities_of: Counter[Hashable] = Counter()
    clusters_of: Counter[Hashable] = Counter()
    for (cluster, entity), size in cells.items():
        clusters[cluster] += size
        entities[entity] += size
        entities_of[cluster] += 1
        clusters_of[entity] += 1
    return Evaluation(
        records=cells.total(),
        true_pairs=_pairs(entities),
        claimed_pairs=_pairs(clusters),
        right_pairs=_pairs(cells),
        mixed=_several(entities_of),
        scattered=_several(clusters_of),
    )


def _pairs(sizes: Counter[Hashable] | Counter[tuple[Hashable, Hashable]]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _several(parts: Counter[Hashable]) -> tuple[Hashable, ...]:
    return tuple(sorted((name for name, count in parts.items() if count > 1), key=str)[:20])
