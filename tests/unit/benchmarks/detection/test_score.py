"""The scores of `benchmarks.detection`, on streams small enough to count by hand."""

import pytest

from benchmarks.detection.alarms import ChunkAlarm
from benchmarks.detection.score import Share, delay, score
from benchmarks.detection.stream import Truth

A = frozenset({"a"})
DRIFT = Truth("unit 60", "", (False, False, True, True, True), (False, False, False, True, True), A, A | {"b"}, lead=2)
CALM = Truth("none", "", (False,) * 4, (False,) * 4)


def _marked(marks: str, columns: frozenset[str] = frozenset()) -> list[ChunkAlarm]:
    return [ChunkAlarm(mark == "#", columns if mark == "#" else frozenset()) for mark in marks]


@pytest.mark.parametrize(
    ("marks", "late"), [("..#..", 0), ("...#.", 0), ("....#", 1), (".....", None), ("##...", None), ("..", None)]
)
def test_a_delay_counts_from_the_first_harmful_chunk(marks: str, late: int | None) -> None:
    assert delay(DRIFT, _marked(marks)) == late


def test_harmful_harmless_and_calm_streams_are_distinguished() -> None:
    harmless = Truth("mix 0.2", "", DRIFT.drifts, (False,) * 5, A, A, lead=2)
    right, wrong = _marked("#...#", A | {"probability_1"}), _marked("..#..", A | {"b"})
    result = score([(DRIFT, right), (harmless, _marked(".....")), (DRIFT, wrong), (CALM, _marked("#..."))])
    assert (result.in_time, result.harmful, result.all) == (Share(2, 2), Share(2, 2), Share(2, 3))
    assert result.false == Share(1, 4)
    assert result.right == Share(1, 2)
    assert result.delays == (0, 1)
