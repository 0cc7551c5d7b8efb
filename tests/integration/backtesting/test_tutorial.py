"""docs/tutorial.md shows what its examples print."""

from tests.unit.docs.examples import run_examples
from tests.unit.docs.pages import ROOT


def test_every_example_prints_what_the_tutorial_shows() -> None:
    examples = list(run_examples(ROOT / "docs" / "tutorial.md"))
    assert len(examples) >= 6
    assert [printed for _, printed in examples] == [expected for expected, _ in examples]
