"""The scores of `benchmarks.detection`, on streams small enough to count by hand."""

import pytest

from benchmarks.detection.said import Said
from benchmarks.detection.score import Share, delay, score
from benchmarks.detection.stream import Truth

A = frozenset({"a"})
DRIFT = Truth("unit 60", "", (False, False, True, True, True), (False, False, False, True, True), A, A | {"b"}, lead=2)
CALM = Truth("none", "", (False,) * 4, (False,) * 4)


def _said(marks: str, columns: frozenset[str] = frozenset()) -> list[Said]:
    return [Said(mark == "#", columns if mark == "#" else frozenset()) for mark in marks]


@pytest.mark.parametrize(
    ("marks", "late"), [("..#..", 0), ("...#.", 0), ("....#", 1), (".....", None), ("##...", None), ("..", None)]
)
def test_a_delay_counts_from_the_first_chunk_that_hurts(marks: str, late: int | None) -> None:
    assert delay(DRIFT, _said(marks)) == late


def test_what_hurts_what_does_not_and_what_is_calm_are_told_apart() -> None:
    harmless = Truth("mix 0.2", "", DRIFT.drifts, (False,) * 5, A, A, lead=2)
    right, wrong = _said("#...#", A | {"probability_1"}), _said("..#..", A | {"b"})
    found = score([(DRIFT, right), (harmless, _said(".....")), (DRIFT, wrong), (CALM, _said("#..."))])
    assert (found.in_time, found.hurting, found.all) == (Share(2, 2), Share(2, 2), Share(2, 3))
    assert found.false == Share(1, 4)
    assert found.right == Share(1, 2)
    assert found.delays == (0, 1)
