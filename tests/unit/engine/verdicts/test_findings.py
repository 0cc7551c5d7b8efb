import pytest

from driftline.engine.number_format import format_distinct, percent
from driftline.engine.results import State
from driftline.engine.verdicts.findings import SEVERITY, Finding, gravest, reasons


def test_the_gravest_state_wins_and_its_reason_comes_first() -> None:
    findings = [Finding(None, "note"), Finding(State.OK, "fine"), Finding(State.WARN, "bad"), Finding(State.OK, "fine")]
    assert gravest(findings) is State.WARN
    assert reasons(findings) == ("bad", "fine", "note")


def test_every_state_a_finding_can_have_is_ranked() -> None:
    assert set(SEVERITY) == set(State) - {State.NO_DATA}


@pytest.mark.parametrize(
    ("share", "shown"), [(0.0, "0 %"), (0.95, "95 %"), (0.9999, "99.9 %"), (1.0, "100 %"), (0.057, "5.7 %")]
)
def test_shares_are_rounded_down(share: float, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("value", "bound", "shown"),
    [
        (0.41, 0.47, ("0.41", "0.47")),
        (0.46999, 0.47, ("0.46999", "0.47")),
        (0.5, 0.5, ("0.5", "0.5")),
        (12345.678, 12345.679, ("12345.678", "12345.679")),
    ],
)
def test_numbers_are_shown_so_that_they_differ(value: float, bound: float, shown: tuple[str, str]) -> None:
    assert format_distinct(value, bound) == shown
