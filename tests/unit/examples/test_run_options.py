"""A folder has the data of one choice of options: a run with others is refused before it changes anything."""

import json
from pathlib import Path

import pytest

from examples import run
from examples.dse import __main__ as dse
from examples.ecg import __main__ as ecg
from examples.lakehouse import __main__ as lakehouse
from examples.run import OPTIONS, require_options
from examples.servers import Servers
from examples.titanic import __main__ as titanic

PROGRAMS = {"dse": dse, "ecg": ecg, "lakehouse": lakehouse, "titanic": titanic}


class Started(Exception):
    """The servers were started, and the steps of the run would begin."""


def run_nothing(*_: object, **__: object) -> None:
    raise Started


@pytest.mark.parametrize(
    ("name", "first", "other", "message"),
    [
        ("dse", [], ["--calm"], "a run with no --calm, and this run has --calm;"),
        ("dse", ["--seed", "2"], ["--stream-from", "2021-01-01"], "--stream-from 2020-01-01 and --seed 2, and"),
        ("ecg", ["--calm"], [], "a run with --calm, and this run has no --calm;"),
        ("lakehouse", ["--short", "--calm"], ["--short", "--without-hudi"], "a run with --calm, and this run has no"),
        ("lakehouse", [], ["--short"], "a run with no --short, and this run has --short;"),
        ("titanic", [], ["--voyages", "20"], "a run with --voyages 30, and this run has --voyages 20;"),
        ("titanic", ["--emigrants-from", "-1"], [], "with --emigrants-from -1, and this run has --emigrants-from 15;"),
    ],
)
def test_other_options_are_refused_and_the_same_are_taken(
    name: str, first: list[str], other: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = PROGRAMS[name]
    monkeypatch.setattr(run, "start_servers", lambda *_, **__: Servers("", "", tmp_path, {}))
    monkeypatch.setattr(program, "_run", run_nothing)
    for _ in range(2):
        with pytest.raises(Started):
            program.main(["--var", str(tmp_path), *first])
    with pytest.raises(SystemExit, match=message) as refused:
        program.main(["--var", str(tmp_path), *other])
    assert f"{tmp_path / name} has the data of" in str(refused.value)
    assert "another folder with --var FOLDER" in str(refused.value)
    with pytest.raises(Started):
        program.main(["--var", str(tmp_path / "another"), *other])


def test_options_of_a_run_whose_servers_did_not_start_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SystemExit("a port is taken")

    monkeypatch.setattr(run, "start_servers", fail)
    for options in (["--calm"], []):
        with pytest.raises(SystemExit, match="a port is taken"):
            ecg.main(["--var", str(tmp_path), *options])


def test_an_option_that_an_earlier_version_lacked_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / OPTIONS).write_text(json.dumps({"calm": True}))
    require_options(tmp_path, {"calm": True, "seed": 2})
    with pytest.raises(SystemExit, match="with --calm, and this run has no --calm;"):
        require_options(tmp_path, {"calm": False, "seed": 2})
