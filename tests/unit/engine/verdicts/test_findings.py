from driftline.engine.results import State
from driftline.engine.verdicts.findings import STATES_BY_SEVERITY, Finding, most_severe, reasons


def test_the_most_severe_state_wins_and_its_reason_comes_first() -> None:
    findings = [Finding(None, "note"), Finding(State.OK, "fine"), Finding(State.WARN, "bad"), Finding(State.OK, "fine")]
    assert most_severe(findings) is State.WARN
    assert reasons(findings) == ("bad", "fine", "note")


def test_every_state_a_finding_can_have_is_ranked() -> None:
    assert set(STATES_BY_SEVERITY) == set(State) - {State.NO_DATA}
