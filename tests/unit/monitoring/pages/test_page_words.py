"""Names, labels and addresses of pages that depend on no database."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from driftline.engine.spec import Period
from driftline.report.wording import dated_label
from monitoring.pages.page_text import shorten
from monitoring.pages.queries import CompareQuery


@pytest.mark.parametrize(
    ("name", "shown"), [("a" * 25, "a" * 25), ("M_Out_Call_Count_7d_mean_of_all", "M_Out_Call_C…d_mean_of_all")]
)
def test_a_long_name_keeps_its_ends(name: str, shown: str) -> None:
    assert shorten(name, 26) == shown
    assert len(shorten(name, 26)) <= 26


@pytest.mark.parametrize(
    ("period", "label"),
    [(Period.HOUR, "1 Jan 2027, 00:00"), (Period.DAY, "1 Jan 2027"), (Period.MONTH, "Jan 2027")],
)
def test_a_chunk_has_the_time_of_the_model_with_its_year(period: Period, label: str) -> None:
    assert dated_label(datetime(2026, 12, 31, 23, tzinfo=UTC), period, ZoneInfo("Europe/Amsterdam")) == label


@pytest.mark.parametrize(
    ("query", "ready", "compared"),
    [
        ({}, [1, 2, 3], (2, 3)),
        ({"second": 1}, [1, 2, 3], (3, 1)),
        ({"first": 3}, [1, 2, 3], (3, 2)),
        ({"first": 1, "second": 3}, [1, 2, 3], (1, 3)),
        ({"first": 2, "second": 2}, [1, 2], None),
        ({}, [1], None),
        ({"first": 1}, [1], None),
    ],
)
def test_two_versions_are_compared_never_one_with_itself(
    query: dict[str, int], ready: list[int], compared: tuple[int, int] | None
) -> None:
    assert CompareQuery.model_validate(query).versions(ready) == compared
