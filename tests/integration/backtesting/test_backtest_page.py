"""docs/how-to/backtest.md shows the output of a real run, and explains every option."""

import shlex
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from driftline.cli import app
from tests.unit.docs.pages import ROOT, fenced, spans, table

PAGE = ROOT / "docs" / "how-to" / "backtest.md"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    command = shlex.split(fenced(PAGE, "sh")[0].replace("\\\n", " "))
    folder = tmp_path_factory.mktemp("flights")
    paths = {
        "docs/flights.csv.gz": ROOT / "docs/flights.csv.gz",
        **{n: folder / n for n in ("flights.json", "flights.html")},
    }
    return CliRunner().invoke(app, [str(paths.get(word, word)) for word in command[1:]], catch_exceptions=False)


@pytest.mark.parametrize("stream", [0, 1])
def test_the_run_prints_what_the_page_shows(stream: int, run: Result) -> None:
    lines = (run.stderr, run.stdout)[stream].splitlines()
    assert run.exit_code == 0
    assert [line for line in fenced(PAGE, "text")[stream].splitlines() if line not in lines] == []


def test_the_page_shows_everything_that_was_inferred(run: Result) -> None:
    assert run.stderr.splitlines() == fenced(PAGE, "text")[0].splitlines()


def test_the_notebook_example_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    exec(compile(fenced(PAGE, "python")[0], str(PAGE), "exec"), {})  # noqa: S102  (the code is that of the page)
    assert (tmp_path / "flights.html").stat().st_size > 10_000


def test_every_option_is_explained() -> None:
    command = get_command(app).commands["backtest"]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    explained = {span for option, _ in table(PAGE, "Options") for span in spans(option)}
    assert explained == options


def test_the_data_is_small() -> None:
    assert (ROOT / "docs/flights.csv.gz").stat().st_size < 1_000_000
