from __future__ import annotations

from collections import Counter
from itertools import combinations
from random import Random

from quality.identity import evaluate, evaluate_by_source, pairs_beyond_knowing, worst_mistakes


def test_a_perfect_resolution_scores_one_and_names_no_fault() -> None:
    found = evaluate([("p1", "ann"), ("p1", "ann"), ("p2", "bob")])
    assert (found.precision, found.recall, found.f1) == (1.0, 1.0, 1.0)
    assert (found.mixed, found.scattered) == ((), ())


def test_an_over_merge_costs_precision_and_is_named() -> None:
    found = evaluate([("p1", "ann"), ("p1", "ann"), ("p1", "bob")])
    assert (found.precision, found.recall, found.mixed) == (1 / 3, 1.0, ("p1",))


def test_a_missed_merge_costs_recall_and_is_named() -> None:
    found = evaluate([("p1", "ann"), ("p2", "ann")])
    assert (found.precision, found.recall, found.scattered) == (1.0, 0.0, ("ann",))


def test_counting_by_groups_is_counting_pair_by_pair() -> None:
    dice = Random(7)
    records = [(dice.randrange(12), dice.randrange(9)) for _ in range(150)]
    claimed = true = right = 0
    for one, other in combinations(records, 2):
        claimed += one[0] == other[0]
        true += one[1] == other[1]
        right += one == other
    found = evaluate(records)
    assert (found.claimed_pairs, found.true_pairs, found.right_pairs) == (claimed, true, right)


def test_nothing_to_find_and_nothing_claimed_is_no_fault() -> None:
    assert (evaluate([]).precision, evaluate([]).recall) == (1.0, 1.0)


def test_counting_by_source_is_counting_pair_by_pair() -> None:
    dice = Random(11)
    records = [(dice.choice("abc"), dice.randrange(12), dice.randrange(9)) for _ in range(120)]
    counted: Counter[tuple[str, str, str]] = Counter()
    for one, other in combinations(records, 2):
        left, right = sorted((one[0], other[0]))
        counted[left, right, "claimed"] += one[1] == other[1]
        counted[left, right, "true"] += one[2] == other[2]
        counted[left, right, "right"] += one[1:] == other[1:]
    for pair in evaluate_by_source(records):
        assert pair.claimed_pairs == counted[pair.left, pair.right, "claimed"]
        assert pair.true_pairs == counted[pair.left, pair.right, "true"]
        assert pair.right_pairs == counted[pair.left, pair.right, "right"]


def test_the_costliest_mistake_is_named_first() -> None:
    mixed = [("p1", "ann")] * 3 + [("p1", "bob")] * 2
    scattered = [("p2", "eve"), ("p3", "eve")]
    first, second = worst_mistakes([*scattered, *mixed, ("p4", "joe")])
    assert (first.kind, first.subject, first.parts, first.pairs) == ("mixed", "p1", ("ann", "bob"), 6)
    assert (second.kind, second.subject, second.parts, second.pairs) == ("scattered", "eve", ("p2", "p3"), 1)
    assert worst_mistakes([("p4", "joe")]) == []


def test_pairs_that_no_chain_of_shared_traits_connects_are_beyond_knowing() -> None:
    """Four records of one person in four clusters: two share a number, a third shares a name with one of them."""
    records = [
        ("a", "ann", ["number"]),
        ("b", "ann", ["name"]),
        ("c", "ann", ["number", "name"]),
        ("d", "ann", ["else"]),
        ("e", "ben", ["else"]),
    ]
    assert pairs_beyond_knowing(records) == 3
    assert pairs_beyond_knowing(reversed(records)) == 3
    assert pairs_beyond_knowing([*records, ("d", "ann", [])]) == 6


def test_records_that_were_put_together_need_no_trait() -> None:
    assert pairs_beyond_knowing([("a", "ann", []), ("a", "ann", []), ("b", "ben", [])]) == 0
