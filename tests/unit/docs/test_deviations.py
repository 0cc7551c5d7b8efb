"""Every test that the list of deviations names exists."""

import re

from tests.unit.docs.pages import ROOT

FOLDERS = (ROOT, ROOT / "tests" / "unit" / "engine", ROOT / "tests" / "integration" / "engine")
PAGE = ROOT / "docs" / "deviations.md"


def named() -> list[tuple[str, str]]:
    """Return (file, test) of every named test; `::test_x` alone belongs to the file named before it."""
    tests, file = [], ""
    for path, test in re.findall(r"`([\w/]*\.py)?(?:::(test_\w+)(?:\[[^\]`]*\])?)?`", PAGE.read_text()):
        file = path or file
        tests.append((file, test))
    return tests


def test_every_named_test_exists() -> None:
    assert len(named()) > 10
    files = {file for file, _ in named()}
    texts = {file: _text(file) for file in files}
    assert [(file, test) for file, test in named() if test and f"def {test}(" not in texts[file]] == []


def _text(file: str) -> str:
    places = [place / file for place in FOLDERS if (place / file).is_file()]
    assert places, f"{file} does not exist"
    return places[0].read_text()
