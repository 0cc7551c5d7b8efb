from dataclasses import replace

import pytest

from driftline.engine.results import Bounds, Metric, Result
from driftline.engine.verdicts.track_record import RECORD_WINDOW, TrackRecord, estimate_held, track_records
from driftline.engine.verdicts.verdict import verdict_of
from tests.unit.engine.chunk_builders import ONE_METRIC, chunk, estimated, realized, unlabelled


def without_error(result: Result) -> Result:
    return replace(result, sampling_error=None)


@pytest.mark.parametrize(
    ("estimate", "truth", "held"),
    [
        (estimated(0.50), realized(0.54), True),
        (estimated(0.50), realized(0.46), True),
        (estimated(0.50), realized(0.55), False),
        (estimated(0.50), without_error(realized(0.54)), False),
        (estimated(0.50), without_error(realized(0.52)), True),
        (without_error(estimated(0.50)), without_error(realized(0.60)), True),
        (without_error(estimated(0.50)), without_error(realized(0.46)), False),
        (without_error(estimated(0.5, bounds=Bounds())), without_error(realized(0.5)), None),
        (estimated(None), realized(0.5), None),
        (estimated(0.5), realized(None), None),
        (None, realized(0.5), None),
        (estimated(0.5), None, None),
    ],
)
def test_an_estimate_holds_within_three_standard_errors(
    estimate: Result | None, truth: Result | None, held: bool | None
) -> None:
    assert estimate_held(estimate, truth) is held


@pytest.mark.parametrize(
    ("compared", "held", "trusted"),
    [(0, 0, False), (3, 3, False), (4, 4, True), (4, 3, False), (10, 9, True), (10, 8, False)],
)
def test_trust_takes_comparisons_that_held(compared: int, held: int, trusted: bool) -> None:
    assert TrackRecord(compared, held).trusted is trusted


@pytest.mark.parametrize(("compared", "held", "share"), [(0, 0, None), (4, 0, 0.0), (8, 6, 0.75), (3, 3, 1.0)])
def test_the_share_inside_the_band_is_a_number_of_its_own(compared: int, held: int, share: float | None) -> None:
    assert TrackRecord(compared, held).share == share


def test_a_verdict_says_the_share() -> None:
    records: dict[str, TrackRecord] = {Metric.F1: TrackRecord(compared=8, held=6)}
    reasons = verdict_of(ONE_METRIC, unlabelled(estimated(0.3)), records=records).reasons
    assert any("past estimates held in 6 of 8 chunks (75 %)" in reason for reason in reasons), reasons


def test_only_settled_chunks_are_compared() -> None:
    pair = (estimated(0.5), realized(0.5))
    chunks = [
        chunk(*pair, day=1),
        chunk(estimated(0.5), realized(0.9), day=2),
        chunk(*pair, day=3, labels_due=False),
        chunk(*pair, day=4, labelled=900),
        chunk(*pair, day=5, closed=False),
        chunk(*pair, day=6, rows=99),
        chunk(estimated(0.5), day=7),
    ]
    assert track_records(ONE_METRIC, chunks) == {Metric.F1: TrackRecord(compared=2, held=1)}


def test_old_chunks_are_forgotten_whatever_order_they_come_in() -> None:
    missed = [chunk(estimated(0.5), realized(0.9), day=day) for day in range(20)]
    confirmed = [chunk(estimated(0.5), realized(0.5), day=day) for day in range(20, 20 + RECORD_WINDOW)]
    expected = {Metric.F1: TrackRecord(RECORD_WINDOW, RECORD_WINDOW)}
    assert track_records(ONE_METRIC, [*confirmed, *missed]) == expected
    assert track_records(ONE_METRIC, [*missed[::-1], *confirmed[::-1]]) == expected
