"""The README is short, begins with what it is, and its example prints what it shows."""

import re

import pytest

from devtools.documentation import screenshot
from stack.setup import checksums
from tests.unit.docs.examples import run_examples
from tests.unit.docs.pages import README, ROOT, fenced, section

LINES = README.read_text().splitlines()


def test_the_readme_is_short_and_narrow() -> None:
    assert len(LINES) <= 100
    assert [line for line in LINES if len(line) > 100] == []


def test_the_first_lines_have_a_picture_and_code_with_its_result() -> None:
    beginning = "\n".join(LINES[:30])
    assert "Know how your model is doing before the labels arrive" in beginning
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", beginning)
    assert pictures
    assert [path for path in pictures if not (ROOT / path).exists()] == []
    assert "```python\nimport driftline as dl\n" in beginning
    assert "```text\n" in beginning


def test_the_picture_is_the_one_that_the_end_to_end_test_has_taken() -> None:
    """The end-to-end test compares the page with the manifest."""
    assert screenshot.PICTURE.relative_to(ROOT).as_posix() in README.read_text()
    content = screenshot.PICTURE.read_bytes()
    assert int.from_bytes(content[16:20]) == screenshot.WIDTH
    assert len(content) > 50_000, "an empty page"
    recorded = screenshot.recorded()
    assert recorded.keys() == {screenshot.PICTURE.name, screenshot.OUTLINE}
    assert recorded[screenshot.PICTURE.name] == checksums.sha256(screenshot.PICTURE), "run `make screenshot`"


@pytest.mark.slow
def test_the_example_prints_what_the_readme_shows() -> None:
    examples = list(run_examples(README))
    assert examples
    for expected, printed in examples:
        assert printed == expected


def test_two_commands_run_the_whole_system_and_its_tests() -> None:
    commands = "\n".join(fenced(README, "sh"))
    assert re.search(r"^make demo ", commands, re.MULTILINE)
    assert re.search(r"^make test ", commands, re.MULTILINE)
    text = section(README, "Run the whole system")
    assert "verdict" in text
    assert "/models/churn" in text


def test_every_figure_of_the_comparison_is_measured_in_the_benchmarks() -> None:
    measured = (ROOT / "benchmarks" / "README.md").read_text()
    cells = re.findall(r"\[([\d.]+(?: %| s)?)\]\[(drifts|engine)\]", section(README, "Comparison"))
    assert len(cells) == 8
    assert [figure for figure, _ in cells if not re.search(rf"(?<![\d.]){re.escape(figure)}", measured)] == []


def test_drifts_and_false_alarms_are_those_of_one_run_of_each_tool() -> None:
    figures = (ROOT / "benchmarks" / "README.md").read_text().partition("\nSimulated: Driftline seeds")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in figures.splitlines() if line[:2] == "| "]
    runs = {tool: cells for tool, *cells in rows[:9]}
    of_tools = [runs[name] for name in ("Driftline: alert", "NannyML: performance", "Evidently: performance")]
    measured = {column: [re.findall(r"[\d.]+(?: %)?", run[column])[0] for run in of_tools] for column in (0, 4)}
    shown = [re.findall(r"\[([\d.]+(?: %)?)\]\[drifts\]", row) for row in section(README, "Comparison").splitlines()]
    assert [figures for figures in shown if figures] == [measured[0], measured[4]]


def test_every_cell_of_the_comparison_links_to_its_source() -> None:
    rows = [line for line in section(README, "Comparison").splitlines() if line.startswith("| ")][1:]
    unlinked = {cell.strip() for row in rows for cell in row.strip("|").split("|")[1:] if "][" not in cell}
    assert len(rows) == 4
    assert unlinked <= {"not measured", "not compared"}
