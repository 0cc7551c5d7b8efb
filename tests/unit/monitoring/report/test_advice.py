"""Each missing thing is named with what to do; a complete model has no advice."""

from driftline.engine.results import State
from driftline.engine.spec import ModelClock
from monitoring.report.advice import advice_on
from tests.unit.monitoring.reports_builder import SPEC, report


def test_a_complete_model_misses_nothing() -> None:
    assert advice_on(SPEC, [report(1), report(2)]) == []


def test_no_chunk_at_all_needs_predictions() -> None:
    (advice,) = advice_on(SPEC, [])
    assert (advice.missing, advice.urgent) == ("No predictions have come yet.", True)
    assert "driftline ingest NAME FILE" in advice.to_do


def test_each_lack_is_named_with_its_days_urgent_first() -> None:
    chunks = [
        report(0, rows=0, labelled=0, state=State.NO_DATA),
        report(1, state=State.ERROR, reason="It could not be computed: prediction must be 0 or 1"),
        report(2, labelled=900, state=State.WARN),
        report(3, rows=20, labelled=20, state=State.INSUFFICIENT),
        report(4, waiting=True),
        report(5, labelled=0, labels_due=False, state=State.PENDING_LABELS),
        report(6, labelled=0, labels_due=False, closed=False, state=State.PENDING_LABELS),
    ]
    items = advice_on(SPEC, chunks)
    assert [item.urgent for item in items] == [True] * 4 + [False] * 3
    assert [item.missing for item in items] == [
        "1 day failed (2 Feb). It could not be computed: prediction must be 0 or 1",
        "1 day without predictions (1 Feb).",
        "1 day whose labels were due and are not all in (3 Feb: 90 %).",
        "1 day with fewer than 100 rows (4 Feb).",
        "1 day with new rows or labels.",
        "2 days whose labels are not due yet (6 Feb, 7 Feb).",
        "1 day still open (7 Feb): its numbers are provisional.",
    ]
    assert "11 February, 00:00" in items[5].to_do


def test_many_days_are_named_by_the_first_and_the_last() -> None:
    (advice,) = advice_on(SPEC, [report(day, rows=0, state=State.NO_DATA) for day in range(5)])
    assert advice.missing == "5 days without predictions (1 Feb to 5 Feb)."


def test_an_open_day_says_when_it_closes() -> None:
    still = [report(6, closed=False)]
    by_wall, by_data = (
        advice_on(SPEC.model_copy(update={"clock": clock}), still)[0].to_do
        for clock in (ModelClock.WALL, ModelClock.DATA)
    )
    assert by_wall == "Nothing to do: it closes on 8 February, 00:00."
    assert by_data.startswith("Nothing to do: it closes with the first prediction of 8 February, 00:00 or later, since")
