"""Values are sent as they are meant, or refused with a message that names them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.client.batches.values import feature_value, instant_text, output_value, score_value
from driftline.errors import InvalidInput

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (1, 1), (True, True), (0.5, 0.5), ("NL", "NL"), ("", ""), (None, None),
        (float("nan"), None), (float("inf"), None), (-float("inf"), None),
        (np.int64(3), 3), (np.uint8(3), 3), (np.float64(0.5), 0.5), (np.float32(0.5), 0.5), (np.bool_(True), True),
        (np.str_("NL"), "NL"), (np.float64("nan"), None), (np.array(2), 2), (np.datetime64("NaT", "s"), None),
        (pd.NaT, None), (pd.NA, None), (Decimal("12.50"), 12.5), (Decimal("NaN"), None), (Decimal("sNaN"), None),
        (NOON, "2026-01-31T12:00:00+00:00"), (pd.Timestamp(NOON) + pd.Timedelta(1), "2026-01-31T12:00:00+00:00"),
        (date(2026, 1, 31), "2026-01-31"), (2**63 - 1, 2**63 - 1),
    ],
)  # fmt: skip
def test_a_feature_is_sent_as_json_has_it(value: Any, sent: Any) -> None:
    converted = feature_value("amount", value)
    assert converted == sent
    assert type(converted) in {type(sent), np.float64, np.str_}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, 2], "type list ([1, 2]), which cannot be sent; pass one feature per number"),
        ({"a": 1}, "type dict"),
        (b"NL", "type bytes (b'NL'), which cannot be sent; pass a number or a text"),
        (Fraction(1, 3), "type Fraction"),
        (datetime(2026, 1, 31), "not a datetime with a time zone"),  # noqa: DTZ001
        (np.datetime64("2026-01-31"), "type datetime64"),
        (np.array([1, 2]), "type ndarray"),
        (2**63, "needs more than 64 bits"),
        ("\ud800", "not valid Unicode text"),
    ],
)
def test_another_feature_is_refused_by_name(value: Any, words: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        feature_value("amount", value)
    assert fault.value.message.startswith("Feature 'amount' is ")
    assert words in fault.value.message


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), pd.NaT, [1]])
def test_an_output_has_a_value(value: Any) -> None:
    with pytest.raises(InvalidInput, match="prediction is"):
        output_value("prediction", value)


@pytest.mark.parametrize("value", ["0.5", True, float("inf"), Decimal("Infinity")])
def test_a_score_is_a_finite_number(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"score is .* not a finite number"):
        score_value("score", value)


def test_a_missing_score_is_none() -> None:
    assert [score_value("score", value) for value in (None, float("nan"), np.float32("nan"), pd.NA)] == [None] * 4


@pytest.mark.parametrize("value", ["2026-01-31T12:00:00Z", None, 1_769_860_800])
def test_an_instant_is_an_aware_datetime(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"at is .* not a datetime with a time zone"):
        instant_text("at", value)
