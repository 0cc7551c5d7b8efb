"""Each test that the list of deviations names is there."""

import re

from tests.unit.docs.pages import ROOT

ROOMS = (ROOT, ROOT / "tests" / "unit" / "engine", ROOT / "tests" / "integration" / "engine")
PAGE = ROOT / "docs" / "deviations.md"


def named() -> list[tuple[str, str]]:
    """Give (file, test) of every test named; `::test_x` alone is of the file named before it."""
    found, file = [], ""
    for path, test in re.findall(r"`([\w/]*\.py)?(?:::(test_\w+)(?:\[[^\]`]*\])?)?`", PAGE.read_text()):
        file = path or file
        found.append((file, test))
    return found


def test_every_test_named_is_there() -> None:
    assert len(named()) > 10
    files = {file for file, _ in named()}
    texts = {file: _text(file) for file in files}
    assert [(file, test) for file, test in named() if test and f"def {test}(" not in texts[file]] == []


def _text(file: str) -> str:
    places = [place / file for place in ROOMS if (place / file).is_file()]
    assert places, f"{file} is not there"
    return places[0].read_text()
