"""The parts of the Titanic example: its passengers, voyages, requests and differences between groups."""

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import driftline as dl
from driftline import InvalidInput
from driftline.artifacts.loading import load_scorer
from examples import run
from examples.titanic.__main__ import main
from examples.titanic.cloud.main import BAD_REQUEST, handler
from examples.titanic.exploration import survival, write_exploration
from examples.titanic.fairness import differences
from examples.titanic.model import THRESHOLD, save, scored, split, train
from examples.titanic.passengers import CATEGORIES, FEATURES, LABEL, read_passengers
from examples.titanic.sailing import requested_rows
from examples.titanic.voyages import VoyagePlan, draw_voyages
from tests.unit.docs.pages import ROOT

SPEC = ROOT / "examples" / "titanic" / "spec.yaml"
SMALL = VoyagePlan(reference=2, sailing=3, emigrants_from=1, passengers=400)
SEEDS = range(10)
MISSING_PORTS = 4


@pytest.fixture(scope="module")
def passengers() -> pd.DataFrame:
    return read_passengers()


def test_the_passengers_are_those_of_the_titanic(passengers: pd.DataFrame) -> None:
    assert (len(passengers), int(passengers[LABEL].sum())) == (1309, 500)
    assert passengers.isna().sum().to_dict() == {
        "sex": 0, "passenger_class": 0, "embarked": MISSING_PORTS, "age": 263, LABEL: 0,
    }  # fmt: skip
    assert {name: sorted(passengers[name].dropna().unique()) for name in CATEGORIES} == {
        name: [*texts] for name, texts in CATEGORIES.items()
    }
    ports = passengers["embarked"].value_counts()
    assert ports["Southampton"] > ports["Cherbourg"] > ports["Queenstown"] == 122


def test_no_passenger_both_trains_and_sails(passengers: pd.DataFrame) -> None:
    reference, sailing = split(passengers)
    assert {*reference.index}.isdisjoint(sailing.index)
    assert len(reference) + len(sailing) == len(passengers)


def test_voyages_repeat_and_emigrants_change_the_mix_alone(passengers: pd.DataFrame) -> None:
    voyages = draw_voyages(passengers, SMALL)
    pd.testing.assert_frame_equal(voyages, draw_voyages(passengers, SMALL))
    assert voyages["id"].is_unique
    assert voyages.groupby("departure").size().tolist() == [SMALL.passengers] * 5
    third = voyages["passenger_class"].eq("3rd").groupby(voyages["departure"]).mean()
    assert third.iloc[:3].between(0.45, 0.63).all()
    assert third.iloc[3:].between(0.70, 0.86).all()
    without_emigrants = draw_voyages(passengers, replace(SMALL, emigrants_from=None))
    pd.testing.assert_frame_equal(voyages.head(1200), without_emigrants.head(1200))


def test_a_request_has_every_feature_and_null_for_a_missing_one(passengers: pd.DataFrame) -> None:
    voyage = draw_voyages(passengers, SMALL).head(50)
    rows = requested_rows(voyage)
    assert all(tuple(row["features"]) == FEATURES for row in rows)
    assert sum(row["features"]["age"] is None for row in rows) == voyage["age"].isna().sum() > 0
    assert rows[0]["at"] == "2012-04-10T12:00:00+00:00"


def result(segment: str | None, value: float | None, rows: int, error: float | None = 0.1) -> dict[str, Any]:
    return {"segment": segment, "method": "recall", "value": value, "rows": rows, "sampling_error": error}


def test_a_difference_is_between_the_best_and_the_worst_group() -> None:
    results = [
        result("sex=female", 0.9, 300), result("sex=female", 0.6, 100), result("sex=male", 0.2, 400),
        result("sex=male", None, 3), result(None, 0.5, 800), result("embarked=Queenstown", 0.4, 50),
    ]  # fmt: skip
    (difference,) = differences(results)
    assert (difference.feature, difference.best.group, difference.worst.group) == ("sex", "female", "male")
    assert difference.value == pytest.approx(0.825 - 0.2)
    assert difference.error == pytest.approx(((0.03**2 + 0.01**2) / 0.4**2 + 0.1**2) ** 0.5)
    assert difference.is_certain


def test_a_difference_that_chance_explains_is_not_certain() -> None:
    (difference,) = differences([result("sex=female", 0.6, 100), result("sex=male", 0.5, 100)])
    assert not difference.is_certain


@pytest.mark.slow
def test_the_exploration_shows_survival_by_group(passengers: pd.DataFrame, tmp_path: Path) -> None:
    women = survival(passengers, "sex").loc["female"]
    assert (int(women["passengers"]), int(women["survivors"])) == (466, 339)
    write_exploration(passengers, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "1,309 passengers, of whom 500 survived (38.2%)" in page
    assert page.count("data:image/png;base64,") == 5
    assert "http" not in page.replace("http-equiv", "")


@cache
def voyages_of(plan: VoyagePlan) -> pd.DataFrame:
    """Return the scored passengers of a plan's voyages."""
    reference, sailing = split(read_passengers())
    return scored(train(reference), draw_voyages(sailing, plan))


def backtest(plan: VoyagePlan) -> dl.BacktestResult:
    """Monitor a plan's voyages as the example does, without segments, which never alert."""
    fields = yaml.safe_load(SPEC.read_text()) | {"segments": []}
    return dl.backtest(
        voyages_of(plan), timestamp="departure", id="id", label=LABEL, score="score", prediction="prediction",
        reference_until=plan.reference_until.isoformat(), spec=fields,
    )  # fmt: skip


@pytest.mark.slow
def test_the_artifact_scores_passengers_as_the_model_does(passengers: pd.DataFrame, tmp_path: Path) -> None:
    reference, sailing = split(passengers)
    model = train(reference)
    save(model, str(tmp_path / "model"), reference)
    rows = [row["features"] for row in requested_rows(sailing.assign(id="a", departure=pd.Timestamp("2012-04-10")))]
    answers = load_scorer(str(tmp_path / "model")).score(rows)
    expected = scored(model, sailing)
    assert [answer.prediction for answer in answers] == expected["prediction"].tolist()
    assert (expected["score"] >= THRESHOLD).sum() == expected["prediction"].sum() > 0


@pytest.mark.slow
def test_emigrants_alert_within_three_voyages_and_nothing_before() -> None:
    plan = VoyagePlan()
    assert plan.emigrants_from is not None
    chunks = backtest(plan).chunks
    alerted = [number for number, chunk in enumerate(chunks) if chunk.verdict.state is dl.State.ALERT]
    assert plan.emigrants_from <= alerted[0] <= plan.emigrants_from + 2
    assert "passenger_class" in chunks[plan.emigrants_from + 2].verdict.drifted


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_without_emigrants_nothing_alerts(seed: int) -> None:
    states = {chunk.verdict.state for chunk in backtest(VoyagePlan(emigrants_from=None, seed=seed)).chunks}
    assert dl.State.ALERT not in states
    assert dl.State.OK in states


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--voyages", "0"], "--voyages is 0; give 1 to 1000."),
        (["--voyages", "1001"], "--voyages is 1001; give 1 to 1000."),
        (["--voyages", "10"], "--emigrants-from is 15, and there are 10 voyages; give 0 to 9, or -1."),
    ],
)
def test_voyages_that_cannot_be_sailed_start_no_server(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "start_servers", lambda *_, **__: pytest.fail("servers are started"))
    with pytest.raises(InvalidInput, match=re.escape(message)):
        main(["--var", str(tmp_path), *arguments])
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[" * 100_000, "The body is not JSON"),
        ("[]", "The body has no features"),
        ('{"id": {"a": 1}, "features": {}}', "`id` is {'a': 1}; send a text or a whole number"),
        ('{"id": true, "features": {}}', "`id` is True"),
        ('{"id": 1.5, "features": {}}', "`id` is 1.5"),
    ],
)
def test_a_faulty_request_to_the_function_is_refused(body: str, message: str) -> None:
    answer = handler({"body": body}, None)
    assert answer["statusCode"] == BAD_REQUEST
    assert message in json.loads(answer["body"])["error"]["message"]
