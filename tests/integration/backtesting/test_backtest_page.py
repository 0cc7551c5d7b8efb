"""docs/how-to/backtest.md shows a real run: the same command says the same again, and every option is explained."""

import shlex
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from driftline.cli import app
from tests.unit.docs.pages import ROOT, fenced, spans, table

PAGE = ROOT / "docs" / "how-to" / "backtest.md"


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Result:
    command = shlex.split(fenced(PAGE, "sh")[0].replace("\\\n", " "))
    folder = tmp_path_factory.mktemp("flights")
    places = {
        "docs/flights.csv.gz": ROOT / "docs/flights.csv.gz",
        **{n: folder / n for n in ("flights.json", "flights.html")},
    }
    return CliRunner().invoke(app, [str(places.get(word, word)) for word in command[1:]], catch_exceptions=False)


@pytest.mark.parametrize("place", [0, 1])
def test_the_run_says_what_the_page_shows(place: int, again: Result) -> None:
    said = (again.stderr, again.stdout)[place].splitlines()
    assert again.exit_code == 0
    assert [line for line in fenced(PAGE, "text")[place].splitlines() if line not in said] == []


def test_all_that_was_inferred_is_on_the_page(again: Result) -> None:
    assert again.stderr.splitlines() == fenced(PAGE, "text")[0].splitlines()


def test_the_notebook_example_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    exec(compile(fenced(PAGE, "python")[0], str(PAGE), "exec"), {})  # noqa: S102  (it is the page that is tried)
    assert (tmp_path / "flights.html").stat().st_size > 10_000


def test_every_option_is_explained() -> None:
    command = get_command(app).commands["backtest"]  # type: ignore[attr-defined]
    options = {name for one in command.params for name in one.opts if name.startswith("--")}
    explained = {span for option, _ in table(PAGE, "Options") for span in spans(option)}
    assert explained == options


def test_the_data_is_small() -> None:
    assert (ROOT / "docs/flights.csv.gz").stat().st_size < 1_000_000
