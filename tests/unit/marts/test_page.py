"""The analysts' page names what is there, and its questions can be asked of both warehouses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from tests.unit.resolution.tenant import Tenant

PAGE = (PROJECT_ROOT / "docs" / "marts.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_lists_every_column_of_every_mart_and_no_other(sound: Tenant) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", PAGE, re.MULTILINE))
    there: dict[str, set[str]] = {}
    for column in sound.warehouse.served.catalogue(["marts"]):
        there.setdefault(column.table, set()).add(column.name)
    assert {mart: set(re.findall(r"\w+", listed)) for mart, listed in rows.items()} == there


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_of_the_page_can_be_asked(question: str, sound: Tenant) -> None:
    served = sound.warehouse.served
    assert served.arrow(question.replace("jane.doe@example.com", "ann@acme.com")).num_columns > 2
