"""Notable observations are reported, and no others."""

import numpy as np
import pytest

from churn.columns import Cdr
from eda.findings import findings
from eda.statistics.exploration import Exploration
from eda.statistics.profile import DAY_NUMBER
from tests.unit.eda.sample_records import FIRST, explored, records

DAY_20 = FIRST.toordinal() + 19
LAST_WEEK = FIRST.toordinal() + 21


def sentences(exploration: Exploration) -> dict[str, str]:
    return {finding.heading: finding.sentence for finding in findings(exploration)}


@pytest.mark.slow
def test_ordinary_weeks_give_only_the_constant_observations(ordinary: Exploration) -> None:
    assert list(sentences(ordinary)) == ["Churn", "Strongest relation", "Missing values", "Labels to come"]
    assert sentences(ordinary)["Missing values"] == "No usage value is missing."
    assert sentences(ordinary)["Labels to come"].startswith("3 days, from 2026-01-26 on, lack more than 5 %")


def test_a_changed_unit_is_reported_on_its_first_day() -> None:
    frame = records()
    frame.loc[frame[DAY_NUMBER] >= LAST_WEEK, Cdr.MOC_DURATION] /= 60
    sentence = sentences(explored(frame))["Unlike the rest"]
    assert sentence.startswith("Outgoing call time: a mean of ")
    assert "on 2026-01-22, the first of 7 such days" in sentence


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_a_weekly_pattern_is_not_reported(factor: float) -> None:
    frame = records()
    sunday = (frame[DAY_NUMBER] % 7) == 0
    frame.loc[sunday, Cdr.MOC_COUNT] *= factor
    assert "Unlike the rest" not in sentences(explored(frame))


@pytest.mark.slow
def test_missing_values_are_reported_with_their_days() -> None:
    frame = records()
    frame.loc[frame[DAY_NUMBER].isin([DAY_20, DAY_20 + 2]), Cdr.DATA_VOLUME] = np.nan
    expected = "Data volume is missing in 7.1 % of records, on 2 days (2026-01-20 to 2026-01-22)."
    assert sentences(explored(frame))["Missing values"] == expected


@pytest.mark.slow
def test_days_without_records_are_named() -> None:
    frame = records()
    sentence = sentences(explored(frame[frame[DAY_NUMBER] != DAY_20]))["Days without records"]
    assert sentence == "1 of 28 days have no record: 2026-01-20."


@pytest.mark.slow
def test_without_labels_churn_is_unknown_and_not_zero() -> None:
    frame = records()
    frame[Cdr.PSEUDO_CHURNED] = np.nan
    result = sentences(explored(frame))
    assert result["Churn"].startswith("The churn rate is not known")
    assert "Strongest relation" not in result
    assert "Labels to come" not in result


def test_negative_usage_is_reported_as_impossible() -> None:
    frame = records()
    frame.loc[frame.index[5], Cdr.MTC_COUNT] = -4
    assert sentences(explored(frame))["Impossible values"].startswith("Incoming calls goes down to -4 calls")


@pytest.mark.slow
def test_the_strongest_relation_is_the_simulated_one() -> None:
    frame = records()
    churned = frame[Cdr.PSEUDO_CHURNED] == 1
    frame.loc[churned, Cdr.MTSMS_COUNT] *= 9
    assert sentences(explored(frame))["Strongest relation"].startswith("Messages received has the strongest")
