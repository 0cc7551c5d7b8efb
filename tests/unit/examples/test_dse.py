"""The parts of the index example: trading calendar, exports of days, simulated index, features, model and verdicts."""

import re
import runpy
import subprocess
import sys
from contextlib import nullcontext
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import driftline as dl
from driftline import InvalidInput
from examples.dse import index_file, topic_days, training
from examples.dse.__main__ import FIRST, LAST, STREAM_FROM, TURBULENT_FROM
from examples.dse.features import FEATURES, LABEL, add_features
from examples.dse.index_file import number, read_index
from examples.dse.model import IndexModel, train
from examples.dse.simulation import simulate_index
from examples.dse.trading_calendar import NOT_A_TRADING_DAY, TradingCalendar, closing, differences, main, read_calendar
from examples.dse.training import TRAINED_SHARE, reference_of, train_on
from tests.unit.docs.pages import ROOT

CALENDAR = TradingCalendar()
SPEC, DAG = (ROOT / "examples" / "dse" / name for name in ("spec.yaml", "dags/dse_retrain.py"))
EXPORT = (
    '\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\n'
    '"05/26/2025","4,719.39","4,736.34","4,758.76","4,717.44","1.25B","-0.36%"\n'
    '"05/25/2025","4,736.34","4,746.43","4,766.77","4,736.31","342.50M","-1.02%"\n'
    '"05/22/2025","4,785.12","4,801.32","4,824.97","4,785.12","","-0.34%"\n'
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("4,719.39", 4719.39), ("1.25B", 1.25e9), ("342.5M", 342.5e6), ("7.1K", 7100), ("-0.36%", -0.36), ("", None)],
)  # fmt: skip
def test_a_number_of_an_export(text: str, value: float | None) -> None:
    assert number(text) == (None if value is None else pytest.approx(value))


def test_an_export_is_read_oldest_first(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(EXPORT)
    days = read_index(file)
    assert [f"{day:%Y-%m-%d}" for day in days["date"]] == ["2025-05-22", "2025-05-25", "2025-05-26"]
    assert days["close"].tolist() == [4785.12, 4736.34, 4719.39]
    assert days["volume"].tolist()[1:] == [342.5e6, 1.25e9]
    assert np.isnan(days["volume"].iloc[0])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"Price"', '"Value"', "There is no column price or close"),
        ("05/25/2025", "05/26/2025", "1 days are there twice"),
        ("05/25/2025", "26.05.2025", "write dates as"),
        ("4,736.31", "four", "'Low' has a value that is not a number"),
        ("4,746.43", "inf", "'Open' has a value that is not a number .not finite: 'inf'"),
        ('4,736.34","4,746', '","4,746', r"1 days have no close above 0 \(2025-05-25\)"),
        ('4,785.12","4,801', '-","4,801', r"1 days have no close above 0 \(2025-05-22\)"),
        ("4,719.39", "0", r"1 days have no close above 0 \(2025-05-26\)"),
    ],
)
def test_a_faulty_export_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "export.csv"
    file.write_text(EXPORT.replace(old, new))
    with pytest.raises(InvalidInput, match=message):
        read_index(file)


def test_titles_may_have_blanks_and_columns_need_commas(tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(EXPORT.replace('"Price"', '" Price "'))
    assert len(read_index(file)) == EXPORT.count("2025")
    file.write_text("Date;Price\n2025-05-26;4719\n")
    with pytest.raises(InvalidInput, match="separate them by commas"):
        read_index(file)


def test_days_that_the_daily_retrain_added_are_kept(tmp_path: Path) -> None:
    days = simulate_index(date(2008, 1, 1), date(2008, 12, 31), turbulent_from=None, seed=1)
    earlier = days.head(200)
    pd.testing.assert_frame_equal(training.kept_days(tmp_path, earlier), earlier, check_dtype=False, check_like=True)
    days.to_csv(tmp_path / training.DAYS, index=False)
    pd.testing.assert_frame_equal(training.kept_days(tmp_path, earlier), days, check_dtype=False, check_like=True)


@pytest.mark.parametrize("number_of_days", [8, 20, 24])
def test_too_few_days_to_train_on_are_refused(tmp_path: Path, number_of_days: int) -> None:
    days = simulate_index(date(2008, 1, 1), date(2008, 12, 31), turbulent_from=None, seed=1)
    with pytest.raises(InvalidInput, match=f"{number_of_days} days are too few to train on"):
        train_on(days.head(number_of_days), tmp_path, TradingCalendar())
    assert not [*tmp_path.iterdir()], "nothing was written"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "No columns to parse.*save the export as CSV in UTF-8"),
        (EXPORT.encode("utf-16"), "codec can't decode.*save the export as CSV in UTF-8"),
        (EXPORT.splitlines()[0].encode(), "has no days"),
    ],
)
def test_a_file_that_is_no_export_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "export.csv"
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match=message) as raised:
        read_index(file)
    assert str(file) in str(raised.value)


def test_the_exchange_trades_from_sunday_to_thursday_without_holidays() -> None:
    calendar = TradingCalendar(frozenset({date(2024, 4, 10)}))
    week = [calendar.is_trading_day(date(2024, 1, 7) + timedelta(days=number)) for number in range(7)]
    assert week == [True, True, True, True, True, False, False]
    assert calendar.next_trading_day(date(2024, 1, 11)) == date(2024, 1, 14)
    assert calendar.next_trading_day(date(2024, 4, 9)) == date(2024, 4, 11)
    assert not calendar.is_trading_day(date(2024, 2, 21))


def test_a_day_without_trading_is_no_gap() -> None:
    calendar = TradingCalendar()
    days = [*calendar.trading_days(date(2024, 2, 15), date(2024, 2, 29))]
    assert calendar.gaps(days) == []
    assert calendar.gaps([day for day in days if day != date(2024, 2, 20)]) == [date(2024, 2, 20)]


def test_airflow_skips_other_days() -> None:
    assert [main(["2024-01-07"]), main(["2024-01-12"])] == [0, NOT_A_TRADING_DAY]


def test_a_holidays_file_removes_and_adds_trading_days(tmp_path: Path) -> None:
    file = tmp_path / "holidays.txt"
    file.write_text("\ufeff2024-04-10  # Eid al-Fitr\n\n+2016-09-24\n+2022-02-21 # a fixed holiday\n")
    calendar = read_calendar(file)
    assert not calendar.is_trading_day(date(2024, 4, 10))
    assert calendar.next_trading_day(date(2016, 9, 22)) == date(2016, 9, 24)
    assert date(2022, 2, 21) in calendar.trading_days(date(2022, 2, 1), date(2022, 2, 28))
    assert [main([day, "--holidays", str(file)]) for day in ("2016-09-24", "2024-04-10")] == [0, NOT_A_TRADING_DAY]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("10.04.2024", "Line 2 of .* has '10.04.2024', which is not a date; write a holiday as 2024-04-10"),
        ("++2024-02-21", "has '\\+\\+2024-02-21', which is not a date"),
        ("+2024-04-09", "has 2024-04-09 as a holiday and as a trading day"),
        ("\x00", "which is not a date"),
    ],
)
def test_a_faulty_holidays_file_is_refused(
    line: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "holidays.txt"
    file.write_text(f"2024-04-09\n{line}\n")
    with pytest.raises(InvalidInput, match=message):
        read_calendar(file)
    with pytest.raises(SystemExit, match="2"):
        main(["2024-04-10", "--holidays", str(file)])
    assert "error: argument --holidays:" in capsys.readouterr().err


def test_gaps_and_unexpected_days_are_lines_of_a_holidays_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [date(2024, 2, 18), date(2024, 2, 21), date(2024, 2, 22)]
    unexpected, missing = differences(days, TradingCalendar())
    assert unexpected.startswith("Not trading days of the calendar: 1 (2024-02-21). ")
    assert unexpected.endswith("with lines such as +2024-02-21.")
    assert missing.startswith("Missing trading days: 2 (2024-02-19, 2024-02-20). ")
    (many,) = differences([date(2024, 3, 3), date(2024, 3, 24)], TradingCalendar())
    assert "Missing trading days: 14 (2024-03-04, " in many
    assert "2024-03-17 and 4 more, which .venv/bin/python -m examples.dse.index_file FILE prints)" in many
    file = tmp_path / "export.csv"
    file.write_text("Date,Close,Open,High,Low,Volume\n" + "".join(f"{day},1,1,1,1,1\n" for day in days))
    index_file.main([str(file)])
    (tmp_path / "holidays.txt").write_text(capsys.readouterr().out)
    assert [*differences(days, read_calendar(tmp_path / "holidays.txt"))] == []
    assert [*differences([], TradingCalendar())] == []


def test_features_and_labels_count_trading_days() -> None:
    close = [100.0 + number for number in range(25)]
    trading_days = islice(CALENDAR.trading_days(date(2024, 1, 1), date(2024, 12, 31)), 25)
    days = pd.DataFrame({"date": pd.to_datetime([*trading_days]), "close": close, "volume": 10.0})
    first = add_features(days, CALENDAR).iloc[0]
    assert len(add_features(days, CALENDAR)) == 6
    assert first["to_sma_5"] == pytest.approx(119 / 117 - 1)
    assert first["to_sma_20"] == pytest.approx(119 / 109.5 - 1)
    assert first["momentum_5"] == pytest.approx(119 / 114 - 1)
    assert first["volume_to_sma_20"] == pytest.approx(0.0)
    assert add_features(days, CALENDAR)[LABEL].tolist()[:-1] == [1.0] * 5
    assert np.isnan(add_features(days, CALENDAR)[LABEL].iloc[-1])


def test_the_label_before_a_gap_is_unknown_unless_it_is_a_holiday() -> None:
    days = simulate_index(date(2024, 1, 1), date(2024, 3, 20), turbulent_from=None, seed=1)
    present = days[days["date"] != "2024-03-12"]
    labels = add_features(present, CALENDAR).set_index("date")[LABEL]
    assert [*labels.index[labels.isna()]] == [pd.Timestamp("2024-03-11"), pd.Timestamp("2024-03-20")]
    holiday = TradingCalendar(frozenset({date(2024, 3, 12)}))
    assert add_features(present, holiday)[LABEL].isna().sum() == 1


@pytest.mark.parametrize(("day", "hour"), [("2008-07-01", 8), ("2009-07-01", 7), ("2010-07-01", 8)])
def test_training_and_scoring_end_a_day_at_the_same_instant(day: str, hour: int) -> None:
    days = pd.DataFrame({"date": pd.to_datetime([day]), LABEL: 1.0, **dict.fromkeys(FEATURES, 0.0)})
    (at,) = reference_of(days, pd.Series([0.5]))["at"]
    assert at == closing(date.fromisoformat(day)) == pd.Timestamp(f"{day} {hour:02d}:30", tz="UTC")


def test_training_reports_gaps_and_refuses_a_faulty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = simulate_index(date(2020, 1, 1), date(2020, 12, 31), turbulent_from=None, seed=1)
    days[days["date"] != "2020-03-09"].to_csv(tmp_path / "training.csv", index=False)
    training.main([str(tmp_path)])
    assert capsys.readouterr().out.startswith("Missing trading days: 1 (2020-03-09). ")
    (tmp_path / "holidays.txt").write_text("2020-03-09\n")
    training.main([str(tmp_path), "--holidays", str(tmp_path / "holidays.txt")])
    assert capsys.readouterr().out.startswith("Trained on ")
    (tmp_path / "training.csv").write_text("Date,Open\n")
    with pytest.raises(InvalidInput, match="There is no column price or close"):
        training.main([str(tmp_path)])


def test_days_are_read_once_and_other_messages_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    values = [
        b'{"date": "2024-01-08", "close": 2, "volume": null}', b'{"date": "2024-01-07", "close": 1.5, "volume": 7}',
        b'{"date": "2024-01-08", "close": 3}', b'{"date": null, "close": 1}', b'{"date": "2024-01-09"}', b"[1]", b"{",
        b'{"date": "2024-01-09", "close": NaN}', b'{"date": "9999-12-31", "close": 1}', b"\xff", None,
    ]  # fmt: skip
    days = topic_days.days_of(enumerate(values))
    assert [f"{day:%m-%d}" for day in days["date"]] == ["01-07", "01-08"]
    assert days["close"].tolist() == [1.5, 2]
    assert days["volume"].isna().tolist() == [False, True]
    assert len(caplog.messages) == 8
    assert caplog.messages[0].startswith("The message at offset 3 of dse_index_data is left out: it has no date")
    assert len(topic_days.days_of([])) == 0


def test_days_of_the_topic_are_added_to_those_of_training_once(tmp_path: Path) -> None:
    days = simulate_index(date(2024, 1, 1), date(2024, 1, 31), turbulent_from=None, seed=1)
    file = tmp_path / "training.csv"
    days.iloc[:5].to_csv(file, index=False)
    changed = days.assign(close=1.0)
    assert [topic_days.add_to_file(file, changed), topic_days.add_to_file(file, changed)] == [len(days) - 5, 0]
    stored = index_file.read_index(file)
    assert stored["date"].tolist() == days["date"].tolist()
    assert stored["close"].tolist() == [*days["close"][:5], *(1.0 for _ in days["close"][5:])]


def test_adding_days_needs_the_address_of_kafka_and_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    with pytest.raises(SystemExit, match="2"):
        topic_days.main([str(tmp_path)])
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in capsys.readouterr().err
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setattr(topic_days, "read_days", lambda _: topic_days.days_of([]))
    with pytest.raises(OSError, match=r"training\.csv"):
        topic_days.main([str(tmp_path)])


@pytest.mark.parametrize("holidays", [None, "/folder/holidays of all.txt"])
def test_the_dag_adds_days_and_passes_holidays_on(holidays: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: dict[str, str] = {}
    order: list[str] = []

    class Operator:
        def __init__(self, task_id: str, bash_command: str, **_: object) -> None:
            self.task_id = task_id
            commands[task_id] = re.sub("{{.*}}", "2024-01-07", bash_command)

        def __rshift__(self, following: "Operator") -> "Operator":
            order.extend([self.task_id, following.task_id])
            return following

    for name, attributes in (
        ("airflow.providers.standard.operators.bash", {"BashOperator": Operator}),
        ("airflow.sdk", {"DAG": lambda *_, **__: nullcontext()}),
    ):
        module = ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    runpy.run_path(str(DAG))
    assert [*dict.fromkeys(order)] == ["is_trading_day", "add_days", "train", "register"]
    variables = {"DSE_PYTHON": "echo", "DSE_FOLDER": "/folder", **({"DSE_HOLIDAYS": holidays} if holidays else {})}
    printed = {
        task: subprocess.run(["bash", "-c", command], env=variables, capture_output=True, text=True, check=True).stdout
        for task, command in commands.items()
        if task != "register"
    }
    option = f" --holidays {holidays}" if holidays else ""
    assert printed["is_trading_day"].strip() == f"-m examples.dse.trading_calendar 2024-01-07{option}"
    assert printed["add_days"] == "-m examples.dse.topic_days /folder\n"
    assert printed["train"].strip() == f"-m examples.dse.training /folder{option}"


def test_a_saved_model_scores_the_same(tmp_path: Path) -> None:
    days = add_features(simulate_index(date(2020, 1, 1), date(2021, 12, 31), turbulent_from=None, seed=1), CALENDAR)
    model = train(days)
    model.save(tmp_path / "model.json")
    pd.testing.assert_series_equal(IndexModel.load(tmp_path / "model.json").score(days), model.score(days))
    missing = days.head(1).assign(volume_to_sma_20=np.nan)
    mean = days.head(1).assign(volume_to_sma_20=model.means[FEATURES.index("volume_to_sma_20")])
    assert model.score(missing).tolist() == pytest.approx(model.score(mean).tolist())


def backtest(seed: int, turbulent_from: date | None) -> dl.BacktestResult:
    """Monitor a simulated index as the example does."""
    days = add_features(simulate_index(FIRST, LAST, turbulent_from=turbulent_from, seed=seed), CALENDAR)
    trained = days.head(round((days["date"] < STREAM_FROM).sum() * TRAINED_SHARE))
    analysis = days.iloc[len(trained) :]
    return dl.backtest(
        reference_of(analysis, train(trained).score(analysis)), timestamp="at", id="id", label=LABEL, score="score",
        prediction="prediction", reference_until=f"{STREAM_FROM:%Y-%m-%d}", spec=SPEC,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_one_regime_never_alerts(seed: int) -> None:
    states = {chunk.verdict.state for chunk in backtest(seed, None).chunks}
    assert dl.State.ALERT not in states
    assert dl.State.OK in states


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_another_regime_alerts_within_a_year_and_nothing_before(seed: int) -> None:
    chunks = backtest(seed, TURBULENT_FROM).chunks
    first = next(chunk.start.date() for chunk in chunks if chunk.verdict.state is dl.State.ALERT)
    assert TURBULENT_FROM <= first < date(TURBULENT_FROM.year + 1, TURBULENT_FROM.month, 1)
