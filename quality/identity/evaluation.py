"""How right a resolution is, pair by pair, against a known truth.

A pair of records is right when both the truth and the resolution put them together. Pairs are counted from group sizes,
never listed, so a million records cost a million steps.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Counts of record pairs, and the two shares people ask for (1.0 when there was nothing to find or to claim)."""

    true_pairs: int
    claimed_pairs: int
    right_pairs: int

    @property
    def precision(self) -> float:
        """Share of the claimed pairs that are right."""
        return self.right_pairs / self.claimed_pairs if self.claimed_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of the true pairs that were claimed."""
        return self.right_pairs / self.true_pairs if self.true_pairs else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Pairs):
    """How well all records were put together."""

    records: int
    mixed: tuple[Hashable, ...]  # clusters that hold records of more than one real entity, at most 20
    scattered: tuple[Hashable, ...]  # real entities spread over more than one cluster, at most 20

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePair(Pairs):
    """How well the records of two sources (or of one, with itself) were put together."""

    left: str
    right: str


def evaluate_by_source(records: Iterable[tuple[str, Hashable, Hashable]]) -> list[SourcePair]:
    """Judge (source, cluster, real entity) for each pair of sources, in the order of their names."""
    told = list(records)
    sources = sorted({source for source, _, _ in told})
    clusters, entities, cells = (
        _by_group((source, group) for source, group in parts)
        for parts in (
            ((source, cluster) for source, cluster, _ in told),
            ((source, entity) for source, _, entity in told),
            ((source, (cluster, entity)) for source, cluster, entity in told),
        )
    )
    return [
        SourcePair(
            left=left,
            right=right,
            true_pairs=_across(entities, left, right),
            claimed_pairs=_across(clusters, left, right),
            right_pairs=_across(cells, left, right),
        )
        for at, left in enumerate(sources)
        for right in sources[at:]
    ]


def pairs_beyond_knowing(records: Iterable[tuple[Hashable, Hashable, Iterable[Hashable]]]) -> int:
    """Count the true pairs of (cluster, real entity, traits) that no chain of shared traits or clusters connects.

    A rule compares traits and nothing else: of these pairs no rule could know.
    """
    parts_of: dict[Hashable, list[tuple[set[Hashable], int]]] = defaultdict(list)
    for cluster, entity, traits in records:
        joined: set[Hashable] = {("cluster", cluster), *(("trait", trait) for trait in traits)}
        size, apart = 1, []
        for marks, others in parts_of[entity]:
            if joined.isdisjoint(marks):
                apart.append((marks, others))
            else:
                joined, size = joined | marks, size + others
        parts_of[entity] = [*apart, (joined, size)]
    whole: Counter[Hashable] = Counter()
    connected: Counter[Hashable] = Counter()
    for entity, parts in parts_of.items():
        for at, (_, size) in enumerate(parts):
            whole[entity] += size
            connected[entity, at] = size
    return _pairs(whole) - _pairs(connected)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One cluster that mixes several real entities, or one real entity that is scattered over several clusters."""

    kind: Literal["mixed", "scattered"]
    subject: Hashable
    parts: tuple[Hashable, ...]  # the real entities in it, or the clusters it is scattered over
    pairs: int  # wrong or missing pairs it accounts for


def worst_mistakes(records: Iterable[tuple[Hashable, Hashable]], most: int = 10) -> list[Mistake]:
    """Return the mistakes of (cluster, real entity) pairs that cost most pairs, the costliest first."""
    cells = Counter(records)
    entities_of: dict[Hashable, Counter[Hashable]] = defaultdict(Counter)
    clusters_of: dict[Hashable, Counter[Hashable]] = defaultdict(Counter)
    for (cluster, entity), size in cells.items():
        entities_of[cluster][entity] += size
        clusters_of[entity][cluster] += size
    found = [_mistake("mixed", cluster, parts) for cluster, parts in entities_of.items() if len(parts) > 1]
    found += [_mistake("scattered", entity, parts) for entity, parts in clusters_of.items() if len(parts) > 1]
    return sorted(found, key=lambda mistake: (-mistake.pairs, mistake.kind, str(mistake.subject)))[:most]


def _mistake(kind: Literal["mixed", "scattered"], subject: Hashable, parts: Counter[Hashable]) -> Mistake:
    total = parts.total()
    inside = sum(size * (size - 1) // 2 for size in parts.values())
    return Mistake(kind, subject, tuple(sorted(parts, key=str)), total * (total - 1) // 2 - inside)


def _by_group(pairs: Iterable[tuple[str, Hashable]]) -> dict[Hashable, Counter[str]]:
    """Count each group's records by source."""
    groups: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for source, group in pairs:
        groups[group][source] += 1
    return groups


def _across(groups: dict[Hashable, Counter[str]], left: str, right: str) -> int:
    """Count the pairs of records within a group of which one is of each source."""
    if left == right:
        return sum(counts[left] * (counts[left] - 1) // 2 for counts in groups.values())
    return sum(counts[left] * counts[right] for counts in groups.values())


def _pairs(sizes: Counter[Hashable] | Counter[tuple[Hashable, Hashable]]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _several(parts: Counter[Hashable]) -> tuple[Hashable, ...]:
    return tuple(sorted((name for name, count in parts.items() if count > 1), key=str)[:20])
