"""The page's facts: which day speaks first, and how many days stand how."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from driftline.engine.results import State
from driftline.report.view import ChunkView
from driftline.report.wording import STATE_WORDS
from driftline.store.registry import Version
from monitoring.pages.model_page import Page, page_of
from tests.unit.monitoring.reports_builder import SPEC, drift, estimated, realized, report

VERSION = cast("Version", SimpleNamespace(spec=SPEC, name="flights", number=1))


def page(*chunks: ChunkView) -> Page:
    return page_of(VERSION, (1,), datetime(2026, 2, 9, tzinfo=UTC), chunks)


def test_the_newest_closed_day_and_the_newest_final_verdict_speak() -> None:
    made = page(
        report(0, realized(0.7)),
        report(1, realized(0.3), state=State.ALERT),
        report(2, estimated(0.6), state=State.PENDING_LABELS, labels_due=False, labelled=0),
        report(3, estimated(0.6), state=State.PENDING_LABELS, labels_due=False, closed=False, labelled=0),
    )
    assert made.newest is not None
    assert made.decided is not None
    assert (made.newest.name, made.decided.name) == ("3 Feb", "2 Feb")
    assert [(state, count) for _, state, count in made.states] == [
        (State.ALERT, 1),
        (State.PENDING_LABELS, 2),
        (State.OK, 1),
    ]
    assert made.rows[2].numbers == ("–", "–", "–")
    assert made.rows[2].labels == "0 %"


def test_columns_whose_drift_lasted_are_drawn() -> None:
    made = page(report(0, drift(0.9)), report(1, drift(0.9), drifted=("minutes",)))
    assert [chart.title for chart in made.details] == ["minutes"]


def test_a_model_without_chunks_has_a_page() -> None:
    made = page()
    assert (made.newest, made.decided, made.charts, made.states) == (None, None, (), [])
    assert made.advice[0].urgent


def test_every_state_has_a_word_a_sign_and_a_meaning() -> None:
    assert set(STATE_WORDS) == set(State)
    assert len({words.sign for words in STATE_WORDS.values()}) == len(State)
