"""The public API of `import driftline as dl`: names, typed specs, and errors in the style of the interface."""

import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import driftline as dl
from driftline.backtesting.options import command_option, python_option
from driftline.backtesting.request.request import Request
from driftline.backtesting.request.resolved import ResolvedRequest, read_request
from driftline.cli import SERVER_LIBRARIES
from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import fit_reference
from tests.unit.engine.frame_builders import scored_rows

UNTIL = "2026-01-09"
ROLES: dict[str, Any] = {"timestamp": "event_time", "id": "id", "label": "label", "score": "probability_1"}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return scored_rows(2_400, 12)


def test_every_public_name_can_be_imported_and_completed() -> None:
    assert {"backtest", "Monitor", "Spec", "Result", "Verdict", "State", "BacktestResult"} <= set(dir(dl))
    assert {"DriftlineError", "InvalidInput", "SchemaMismatch"} <= set(dl.__all__)
    for name in dl.__all__:
        assert getattr(dl, name) is not None
    assert dl.Spec.__name__ == "Spec"


def test_star_import_binds_the_public_names() -> None:
    names: dict[str, Any] = {}
    exec("from driftline import *", names)  # noqa: S102  # the statement is allowed at module level only
    assert {name: names[name] for name in dl.__all__} == {name: getattr(dl, name) for name in dl.__all__}


@pytest.mark.parametrize(
    ("name", "value", "python", "command"),
    [
        ("reference_until", "2026-01-07", "reference_until='2026-01-07'", "--reference-until 2026-01-07"),
        ("positive", None, "positive=...", "--positive"),
        ("score", {"gold": "p 1", "none": "p2"}, "score={'gold': 'p 1', 'none': 'p2'}",
         "--score 'gold=p 1' --score none=p2"),
        ("features", ["a", "b"], "features=['a', 'b']", "--features a,b"),
    ],
)  # fmt: skip
def test_an_option_is_spelled_for_python_and_for_the_command(name: str, value: Any, python: str, command: str) -> None:
    assert (python_option(name, value), command_option(name, value)) == (python, command)


def test_all_faults_of_a_request_are_in_one_error(rows: pd.DataFrame) -> None:
    with pytest.raises(dl.InvalidInput) as caught:
        dl.backtest(
            rows, timestamp="wen", score="probability_1", categorical="plam", chunk="3d",
            spec={"metrics": ["f2"], "foo": 1, "minimum_rows": "few", "segments": ["regio"]},
        )  # fmt: skip
    faults = "\n".join(caught.value.details)
    for fault in (
        "'wen' (timestamp), 'plam' (categorical), 'regio' (segments)", "unknown chunk '3d'", "unknown field 'foo'",
        "spec: metrics.0: ", "spec: minimum_rows: ",
    ):  # fmt: skip
        assert fault in faults


def test_contradictions_in_a_spec_are_listed_with_other_faults(rows: pd.DataFrame) -> None:
    spec = {"metrics": ["mae"], "continuous_methods": ["chi2"], "foo": 1}
    with pytest.raises(dl.InvalidInput) as caught:
        dl.backtest(rows, **ROLES, problem="binary", spec=spec)
    faults = "\n".join(caught.value.details)
    for fault in ("unknown field 'foo'", "a binary model has no mae", "continuous_methods cannot be chi2"):
        assert fault in faults


def test_an_invalid_type_of_spec_is_a_fault(rows: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(dl.InvalidInput, match=r"spec must be a driftline\.Spec"):
        dl.backtest(rows, **ROLES, spec=5)  # type: ignore[arg-type]
    with pytest.raises(dl.InvalidInput, match="cannot be read"):
        dl.backtest(rows, **ROLES, spec=tmp_path / "none.yaml")


@pytest.mark.slow
def test_a_typed_spec_a_mapping_and_a_file_are_equivalent(rows: pd.DataFrame, tmp_path: Path) -> None:
    fields: dict[str, Any] = {"columns": ["usage", {"name": "plan", "kind": "categorical"}], "minimum_rows": 50}
    path = tmp_path / "spec.yaml"
    path.write_text("columns: [usage, {name: plan, kind: categorical}]\nminimum_rows: 50\n")
    columns = ({"name": "usage"}, {"name": "plan", "kind": "categorical"})
    typed = dl.Spec.model_validate({"columns": columns, "minimum_rows": 50})
    specs: list[Any] = [fields, path, str(path), typed]
    results = [dl.backtest(rows, **ROLES, reference_until=UNTIL, chunk="1d", spec=spec) for spec in specs]
    assert len({result.to_json().partition('"chunks": [')[2] for result in results}) == 1
    assert all(dl.Monitor(spec).spec == typed for spec in specs)


def test_scores_of_classes_are_never_read_as_text(rows: pd.DataFrame) -> None:
    renamed = rows.rename(columns={"probability_1": "a=b"})
    options = {**ROLES, "score": {"1": "a=b"}, "reference_until": UNTIL, "chunk": "1d"}
    assert dl.backtest(renamed, **options).worst in set(dl.State)
    with pytest.raises(dl.InvalidInput, match=r"there is no column 'gold=p1' \(score\)"):
        dl.backtest(rows, **{**options, "score": "gold=p1"})


def test_a_request_is_checked_once(rows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Request] = []

    def counted(request: Request, columns: tuple[str, ...] | None) -> ResolvedRequest:
        calls.append(request)
        return read_request(request, columns)

    monkeypatch.setattr("driftline.backtesting.backtest.read_request", counted)
    dl.backtest(rows, **ROLES, reference_until=UNTIL, chunk="1d")
    assert len(calls) == 1


SPEC = {"columns": ["usage", {"name": "plan", "kind": "categorical"}], "segments": ["plan"], "minimum_rows": 20}


@pytest.mark.slow
def test_a_monitor_has_the_results_of_the_engine(rows: pd.DataFrame) -> None:
    monitor = dl.Monitor(SPEC)
    in_reference = rows["event_time"] < pd.Timestamp(UNTIL, tz="UTC")
    fitted = monitor.fit(rows[in_reference])
    chunks = list(fitted.evaluate_chunks(rows[~in_reference]))
    assert len(chunks) == 4
    reference = fit_reference(rows[in_reference], monitor.spec)
    day = rows[~in_reference][:200]
    assert chunks[0].results == evaluate_chunk(reference, monitor.spec, day, chunks[0].chunk)
    assert chunks[0] == fitted.evaluate(day) == fitted.evaluate(day.drop(columns=["event_time", "id"]), start=UNTIL)
    assert list(chunks[0].to_frame()["value"].dropna()) == [r.value for r in chunks[0].results if r.value is not None]
    assert len(repr(chunks[0])) < 300


@pytest.mark.slow
def test_a_monitor_infers_the_minimum_rows_that_a_backtest_infers(rows: pd.DataFrame) -> None:
    """Where the spec sets none of the two; one that is set leaves both as they are."""
    reference = rows[rows["event_time"] < pd.Timestamp(UNTIL, tz="UTC")]
    fields = {name: value for name, value in SPEC.items() if name != "minimum_rows"}
    inferred = dl.Monitor(fields).fit(reference).spec
    backtest = dl.backtest(rows, **ROLES, reference_until=UNTIL, chunk="1d").spec
    names = ("minimum_rows", "minimum_class_rows")
    assert [getattr(inferred, name) for name in names] == [getattr(backtest, name) for name in names]
    assert inferred.minimum_rows < 100
    assert dl.Monitor({**fields, "minimum_rows": 100}).fit(reference).spec.minimum_rows == 100
    assert dl.Monitor({**fields, "minimum_class_rows": 10}).fit(reference).spec.minimum_rows == 100


@pytest.mark.slow
@pytest.mark.parametrize(
    "stored",
    [
        lambda rows: rows.convert_dtypes(dtype_backend="pyarrow"),
        lambda rows: rows.astype(object),
        lambda rows: rows.assign(usage=rows["usage"].map(lambda number: Decimal(repr(number)))),
        lambda rows: rows.assign(usage=rows["usage"].map(repr)),
    ],
)
def test_a_monitor_reads_every_storage_type(stored: Callable[[pd.DataFrame], pd.DataFrame], rows: pd.DataFrame) -> None:
    expected = dl.Monitor(SPEC).fit(rows[:1600])
    fitted = dl.Monitor(SPEC).fit(stored(rows[:1600]))
    assert fitted.to_json() == expected.to_json()
    chunks = fitted.evaluate_chunks(stored(rows[1600:]))
    assert [chunk.results for chunk in chunks] == [chunk.results for chunk in expected.evaluate_chunks(rows[1600:])]


def test_a_monitor_names_values_that_are_not_numbers(rows: pd.DataFrame) -> None:
    dirty = rows[:1600].astype({"usage": object})
    dirty.loc[dirty.index[7], "usage"] = "ERR"
    with pytest.raises(dl.InvalidInput, match=r"column 'usage' has 1 value that is not a number \('ERR', row 8\)"):
        dl.Monitor(SPEC).fit(dirty)


def test_parts_of_a_chunk_merge_to_the_chunk(rows: pd.DataFrame) -> None:
    fitted = dl.Monitor(SPEC).fit(rows[:1600])
    day = rows[1600:1800]
    merged = fitted.merge(*(fitted.summarize(day[first : first + 50]) for first in range(0, 200, 50)))
    parts, complete = fitted.finish(merged, start=UNTIL), fitted.evaluate(day)
    assert (parts.start, parts.end, parts.rows, parts.labelled) == (
        complete.start,
        complete.end,
        complete.rows,
        complete.labelled,
    )
    for part, result in zip(parts.results, complete.results, strict=True):
        assert part.value == pytest.approx(result.value, rel=1e-12)


def test_a_stored_monitor_is_the_same(rows: pd.DataFrame) -> None:
    fitted = dl.Monitor(SPEC).fit(rows[:1600])
    restored = dl.FittedMonitor.from_json(fitted.to_json())
    assert restored.spec == fitted.spec
    assert restored.evaluate(rows[1600:1800]) == fitted.evaluate(rows[1600:1800])
    with pytest.raises(dl.InvalidInput, match="is not JSON of FittedMonitor"):
        dl.FittedMonitor.from_json("[]")


@pytest.mark.slow
def test_verdicts_depend_on_earlier_chunks(rows: pd.DataFrame) -> None:
    result = dl.backtest(rows, **ROLES, prediction="prediction", reference_until=UNTIL, chunk="1d", spec=SPEC)
    in_reference = rows["event_time"] < pd.Timestamp(UNTIL, tz="UTC")
    fitted = dl.Monitor(SPEC).fit(rows[in_reference])
    chunks = list(fitted.evaluate_chunks(rows[~in_reference]))
    states = [verdict.state for verdict in fitted.verdicts(chunks)]
    assert states[:-1] == [chunk.verdict.state for chunk in result.chunks][:-1]
    assert fitted.verdicts(chunks, now=chunks[0].end)[-1].provisional
    assert fitted.verdicts([]) == ()
    with pytest.raises(dl.InvalidInput, match="oldest first"):
        fitted.verdicts(chunks[::-1])


def test_rows_of_several_periods_are_rejected(rows: pd.DataFrame) -> None:
    fitted = dl.Monitor(SPEC).fit(rows[:1600])
    with pytest.raises(dl.InvalidInput, match=r"the rows are of 4 chunks of 1d, .* or use evaluate_chunks"):
        fitted.evaluate(rows[1600:])
    with pytest.raises(dl.InvalidInput, match="is not after start"):
        fitted.evaluate(rows[1600:], start=UNTIL, end=UNTIL)
    assert np.isfinite(fitted.evaluate(rows[1600:], start=UNTIL, end="2026-01-13").rows)


def test_all_faults_of_a_monitors_spec_are_in_one_error() -> None:
    with pytest.raises(dl.InvalidInput) as caught:
        dl.Monitor({"metrics": ["f2"], "foo": 1})
    assert [fault.split(":")[1].split("'")[0].strip() for fault in caught.value.details] == [
        "columns", "metrics.0", "unknown field",
    ]  # fmt: skip


WITHOUT_SERVER = f"""
import sys
sys.modules.update(dict.fromkeys({sorted(SERVER_LIBRARIES)}))
"""
"""Python code that hides the libraries of the extra `server`."""


def run_without_server(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", WITHOUT_SERVER + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": "src"})


@pytest.mark.slow
def test_the_core_does_not_need_the_extra_server(rows: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    rows.to_parquet(path)
    code = (
        "import pandas as pd, driftline as dl\n"
        "rows = pd.read_parquet(sys.argv[1])\n"
        "roles = dict(timestamp='event_time', id='id', label='label', score='probability_1')\n"
        f"print(len(dl.backtest(rows, **roles, reference_until='{UNTIL}', chunk='1d').chunks))\n"
        "fitted = dl.Monitor({'columns': ['usage']}).fit(rows[:1600])\n"
        "print(len(fitted.evaluate(rows[1600:1800]).results) > 0)\n"
        "print([name for name in ('lightgbm', 'matplotlib', 'sklearn') if name in sys.modules])\n"
    )
    completed = run_without_server(code, str(path))
    assert completed.stdout.split() == ["4", "True", "[]"], completed.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("db", "upgrade"), ("token", "list")])
def test_a_command_of_the_server_names_the_extra(arguments: tuple[str, ...]) -> None:
    completed = run_without_server("from driftline.cli import main\nmain()", *arguments)
    assert completed.returncode == 2
    assert "pip install 'driftline[server]'" in completed.stderr
    assert "Traceback" not in completed.stderr


@pytest.mark.slow
def test_a_stored_monitor_keeps_column_names_with_blanks(rows: pd.DataFrame) -> None:
    blanks = rows.assign(**{"total usage": rows["probability_1"] * 3})
    spec = dl.backtest(blanks, **ROLES, prediction="prediction", reference_until=UNTIL).spec
    fitted = dl.Monitor(spec).fit(blanks)
    restored = dl.FittedMonitor.from_json(fitted.to_json())
    assert restored.spec == fitted.spec
    assert restored.to_json() == fitted.to_json()


@pytest.mark.parametrize(
    "text",
    ["no JSON", "[]", '{"spec": "some/file", "reference": {}}', '{"spec": {"columns": ["u"]}, "reference": []}',
     '{"spec": {"columns": [{"name": "u"}]}, "reference": {"format": 5}}'],
)  # fmt: skip
def test_from_json_rejects_other_json(text: str) -> None:
    with pytest.raises(dl.InvalidInput):
        dl.FittedMonitor.from_json(text)


def test_contradictions_are_listed_beside_invalid_fields() -> None:
    with pytest.raises(dl.InvalidInput) as caught:
        dl.Monitor({"columns": [{"name": "u"}], "metrics": ["mae"], "minimum_rows": "x"})
    faults = "\n".join(caught.value.details)
    assert "minimum_rows" in faults
    assert "mae" in faults


@pytest.mark.parametrize("frame", [None, [], {}])
def test_rows_must_be_a_frame(frame: Any) -> None:
    monitor = dl.Monitor({"columns": [{"name": "usage"}]})
    with pytest.raises(dl.InvalidInput, match=r"must be a pandas\.DataFrame"):
        monitor.fit(frame)


def test_a_column_that_occurs_twice_is_named(rows: pd.DataFrame) -> None:
    repeated = pd.concat([rows, rows[["label"]]], axis=1)
    column = next(name for name in rows if name not in {"event_time", "id", "label", "prediction", "probability_1"})
    kind = "continuous" if pd.api.types.is_numeric_dtype(rows[column]) else "categorical"
    with pytest.raises(dl.InvalidInput, match="several columns are called 'label'"):
        dl.Monitor({"columns": [{"name": column, "kind": kind}]}).fit(repeated)


def test_a_spec_file_that_cannot_be_read_is_an_invalid_input(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text("label_delay: 2013-13-45\n")
    with pytest.raises(dl.InvalidInput, match="cannot be read"):
        dl.Monitor(file)


@pytest.mark.parametrize("role", ["timestamp", "label", "id"])
def test_an_empty_column_name_is_reported(rows: pd.DataFrame, role: str) -> None:
    with pytest.raises(dl.InvalidInput, match="there is no column ''"):
        dl.backtest(rows, **{**ROLES, role: ""}, reference_until=UNTIL)
