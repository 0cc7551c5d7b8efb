"""Every decision record has its four parts and its number."""

import re
from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT

RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_record_has_status_context_decision_and_consequence(record: Path) -> None:
    text = record.read_text()
    assert re.search(r"^Status: (proposed|accepted|superseded by \d+)\.$", text, re.MULTILINE)
    parts = re.findall(r"^## (\w+)\n(?=\S)", text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequence"]


def test_records_are_numbered_one_after_the_other() -> None:
    numbers = [int(record.name[:4]) for record in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))
    titled = [int(re.match(r"# (\d+)\. ", record.read_text())[1]) for record in RECORDS]  # type: ignore[index]
    assert titled == numbers


def test_the_index_lists_every_record_with_its_title() -> None:
    listed = re.findall(r"^\| \[([^\]]+)\]\(([^)]+)\)", (RECORDS[0].parent / "README.md").read_text(), re.MULTILINE)
    titles = [(record.read_text().splitlines()[0].removeprefix("# "), record.name) for record in RECORDS]
    assert listed == titles
