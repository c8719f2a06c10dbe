"""What a query costs, told beside every answer as Shopify does, and the bucket it is paid from, in real time."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphql import DocumentNode

    from gtm_pipelines.sandbox.vendors.graphql.faults import GraphqlFaults

_PAGES = ("first", "limit")


def cost_of(document: DocumentNode, variables: Mapping[str, Any]) -> float:
    """Return what a document asks for: one for each object, times the size of the page it is in."""
    whole = document.definitions
    fragments = {each.name.value: each for each in whole if isinstance(each, FragmentDefinitionNode)}
    asked = [each for each in whole if isinstance(each, OperationDefinitionNode)]
    return sum(_selected(each.selection_set, variables, fragments) for each in asked)


def _selected(selected: SelectionSetNode | None, variables: Mapping[str, Any], fragments: Mapping[str, Any]) -> float:
    total = 0.0
    for node in selected.selections if selected else ():
        if isinstance(node, FieldNode):
            inner = _selected(node.selection_set, variables, fragments)
            total += (1 + inner) * _times(node, variables) if node.selection_set else 0
        elif isinstance(node, InlineFragmentNode):
            total += _selected(node.selection_set, variables, fragments)
        elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments:
            total += _selected(fragments[node.name.value].selection_set, variables, {})
    return total


def _times(node: FieldNode, variables: Mapping[str, Any]) -> float:
    for argument in node.arguments:
        if argument.name.value in _PAGES:
            if isinstance(argument.value, IntValueNode):
                return float(argument.value.value)
            if isinstance(argument.value, VariableNode):
                given = variables.get(argument.value.name.value)
                return float(given) if isinstance(given, int) else 1.0
    return 1.0


class Bucket:
    """The points a client has left."""

    def __init__(self) -> None:
        self._left: float | None = None
        self._at = monotonic()
        self._lock = Lock()

    def pay(self, cost: float, faults: GraphqlFaults) -> bool:
        """Take ``cost`` if there is as much, and say whether there was."""
        with self._lock:
            self._refill(faults)
            if faults.take("throttled_next"):
                self._left = 0.0
            if cost > (self._left or 0.0):
                return False
            self._left = (self._left or 0.0) - cost
            return True

    def told(self, cost: float, faults: GraphqlFaults, *, is_paid: bool) -> dict[str, Any]:
        """Return ``extensions.cost``."""
        return {
            "requestedQueryCost": cost,
            "actualQueryCost": cost if is_paid else None,
            "throttleStatus": {
                "maximumAvailable": faults.cost_maximum,
                "currentlyAvailable": round(self._left or 0.0, 1),
                "restoreRate": faults.cost_restore_rate,
            },
        }

    def _refill(self, faults: GraphqlFaults) -> None:
        now = monotonic()
        since, self._at = now - self._at, now
        left = faults.cost_maximum if self._left is None else self._left + since * faults.cost_restore_rate
        self._left = min(left, faults.cost_maximum)
