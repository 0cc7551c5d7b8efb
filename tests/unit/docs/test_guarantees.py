"""Every guarantee names a test that exists."""

import re

from tests.unit.docs.pages import DOCS, ROOT, spans

PAGE = DOCS / "reference" / "guarantees.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| Guarantee ")
]


def test_every_guarantee_is_shown_by_a_test() -> None:
    assert len(ROWS) > 15
    assert [guarantee for guarantee, *proofs in ROWS if not proofs or not spans(proofs[0])] == []


def test_every_named_test_exists() -> None:
    for test in (span for _, proofs in ROWS for span in spans(proofs)):
        file, _, name = test.partition("::")
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), test
