"""What stands out is said, and nothing else."""

import numpy as np
import pytest

from churn.columns import Cdr
from eda.exploration import Exploration
from eda.findings import findings
from eda.profile import DAY_NUMBER
from tests.unit.eda.sample_records import FIRST, explored, records

DAY_20 = FIRST.toordinal() + 19
LAST_WEEK = FIRST.toordinal() + 21


def said(found: Exploration) -> dict[str, str]:
    return {finding.heading: finding.sentence for finding in findings(found)}


@pytest.mark.slow
def test_ordinary_weeks_say_only_what_is_always_said(ordinary: Exploration) -> None:
    assert list(said(ordinary)) == ["Churn", "Strongest relation", "Missing values", "Labels to come"]
    assert said(ordinary)["Missing values"] == "No usage value is missing."
    assert said(ordinary)["Labels to come"].startswith("3 days, from 2026-01-26 on, lack more than 5 %")


def test_a_broken_unit_stands_out_on_its_first_day() -> None:
    frame = records()
    frame.loc[frame[DAY_NUMBER] >= LAST_WEEK, Cdr.MOC_DURATION] /= 60
    sentence = said(explored(frame))["Unlike the rest"]
    assert sentence.startswith("Outgoing call time: a mean of ")
    assert "on 2026-01-22, the first of 7 such days" in sentence


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_a_weekly_rhythm_does_not_stand_out(factor: float) -> None:
    frame = records()
    sunday = (frame[DAY_NUMBER] % 7) == 0
    frame.loc[sunday, Cdr.MOC_COUNT] *= factor
    assert "Unlike the rest" not in said(explored(frame))


@pytest.mark.slow
def test_missing_values_are_said_with_their_days() -> None:
    frame = records()
    frame.loc[frame[DAY_NUMBER].isin([DAY_20, DAY_20 + 2]), Cdr.DATA_VOLUME] = np.nan
    expected = "Data volume is missing in 7.1 % of records, on 2 days (2026-01-20 to 2026-01-22)."
    assert said(explored(frame))["Missing values"] == expected


@pytest.mark.slow
def test_days_without_records_are_named() -> None:
    frame = records()
    sentence = said(explored(frame[frame[DAY_NUMBER] != DAY_20]))["Days without records"]
    assert sentence == "1 of 28 days have no record: 2026-01-20."


@pytest.mark.slow
def test_without_labels_churn_is_unknown_and_not_zero() -> None:
    frame = records()
    frame[Cdr.PSEUDO_CHURNED] = np.nan
    sentences = said(explored(frame))
    assert sentences["Churn"].startswith("The churn rate is not known")
    assert "Strongest relation" not in sentences
    assert "Labels to come" not in sentences


def test_negative_usage_is_called_impossible() -> None:
    frame = records()
    frame.loc[frame.index[5], Cdr.MTC_COUNT] = -4
    assert said(explored(frame))["Impossible values"].startswith("Incoming calls goes down to -4 calls")


@pytest.mark.slow
def test_the_strongest_relation_is_the_one_put_in() -> None:
    frame = records()
    churned = frame[Cdr.PSEUDO_CHURNED] == 1
    frame.loc[churned, Cdr.MTSMS_COUNT] *= 9
    assert said(explored(frame))["Strongest relation"].startswith("Messages received has the strongest")
