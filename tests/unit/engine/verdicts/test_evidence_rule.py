"""What evidence does to a verdict: it alerts, bounds warn, and a user's own thresholds stay as they are."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from driftline.engine.evidence.chunk_evidence import Change, ChunkEvidence
from driftline.engine.evidence.families import Family
from driftline.engine.results import State
from driftline.engine.spec import Spec
from driftline.engine.threshold_override import ConstantThreshold
from driftline.engine.verdicts.evidence_rule import alert_rule
from driftline.engine.verdicts.verdict import verdict_of
from tests.unit.engine.chunk_builders import ONE_METRIC, chunk, realized

NO_EVIDENCE = ChunkEvidence()
CHANGE = Change(Family.SHARE, 0, datetime(2026, 5, 12, tzinfo=UTC), 0.21, 0.14)
FINE, FAR = 0.7, 0.2


def state(value: float, evidence: ChunkEvidence, spec: Spec = ONE_METRIC, rows: int = 1_000) -> State:
    """Return the state of a chunk with this F1 and this evidence."""
    return verdict_of(spec, chunk(realized(value), rows=rows), evidence=evidence).state


def test_evidence_alerts_whatever_the_bounds_say() -> None:
    """The value is inside its bounds; the reason says what changed, since when and how sure that is."""
    evidence = replace(NO_EVIDENCE, alert=True, change=CHANGE)
    verdict = verdict_of(ONE_METRIC, chunk(realized(FINE)), evidence=evidence)
    assert verdict.state is State.ALERT
    assert verdict.reasons[0] == (
        "21 % were positive where these scores promise 14 %, since about 12 May 2026; "
        "a change this clear turns up by chance at most once a year."
    )


def test_bounds_warn_at_most_where_evidence_alerts() -> None:
    """Far beyond the alert bound without evidence is a warning; without a budget it alerts as ever."""
    assert state(FAR, NO_EVIDENCE) is State.WARN
    assert verdict_of(ONE_METRIC, chunk(realized(FAR))).state is State.ALERT


def test_two_low_chunks_in_a_row_warn_where_evidence_alerts() -> None:
    """Signs of bounds do not alert together either."""
    low = chunk(realized(FAR), day=9)
    assert verdict_of(ONE_METRIC, chunk(realized(FAR)), [low], evidence=NO_EVIDENCE).state is State.WARN


def test_a_threshold_of_the_spec_still_alerts() -> None:
    """What the user asked for stays as it is."""
    overridden = ONE_METRIC.model_copy(update={"threshold_overrides": {"f1": ConstantThreshold(lower=0.5)}})
    assert state(FAR, NO_EVIDENCE, overridden) is State.ALERT


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (replace(NO_EVIDENCE, warning=True, change=CHANGE), "not enough evidence for an alert yet (budget: 1 a year)."),
        (replace(NO_EVIDENCE, warning=True, withheld=True, change=CHANGE), "so this does not alert."),
        (
            replace(NO_EVIDENCE, incident_since=CHANGE.since),
            "began with the alert of 12 May 2026 is still open.",
        ),
        (replace(NO_EVIDENCE, no_skill=0.507), "ROC AUC 0.507 is not distinguishable from 0.5."),
    ],
)
def test_the_rest_of_the_evidence_warns(evidence: ChunkEvidence, words: str) -> None:
    """Evidence short of an alert, a change without harm, an open incident, and no skill."""
    verdict = verdict_of(ONE_METRIC, chunk(realized(FINE)), evidence=evidence)
    assert verdict.state is State.WARN
    assert verdict.reasons[0].endswith(words)


def test_few_rows_are_insufficient_unless_evidence_says_more() -> None:
    """Evidence adds up over chunks that are too small for a metric."""
    assert state(FINE, NO_EVIDENCE, rows=99) is State.INSUFFICIENT
    assert state(FINE, replace(NO_EVIDENCE, alert=True, change=CHANGE), rows=99) is State.ALERT


def test_only_the_default_policy_has_a_budget() -> None:
    """NannyML's thresholds, and no budget, leave alerts to bounds."""
    columns = ["usage"]
    assert alert_rule(Spec(columns=columns)) is not None
    assert alert_rule(Spec(columns=columns, thresholds="nannyml")) is None
    assert alert_rule(Spec(columns=columns, alert_budget=None)) is None
    rule = alert_rule(Spec(columns=columns, alert_budget=4, alert_on="harm"))
    assert rule is not None
    assert (rule.budget, rule.harm_only) == (4.0, True)


def test_the_evidence_of_scores_and_labels_merges_with_the_alert_first() -> None:
    """An alert of the labels precedes a warning of the scores; the incident and the skill are kept."""
    scores = replace(
        NO_EVIDENCE, warning=True, change=replace(CHANGE, family=Family.EXPECTED), incident_since=CHANGE.since
    )
    labels = replace(NO_EVIDENCE, alert=True, change=CHANGE, no_skill=0.5)
    merged = scores.merge(labels)
    assert (merged.alert, merged.warning, merged.change) == (True, False, CHANGE)
    assert (merged.incident_since, merged.no_skill) == (CHANGE.since, 0.5)
    assert ChunkEvidence.from_dict(merged.to_dict()) == merged


def test_stored_evidence_keeps_its_keys() -> None:
    """Databases have evidence that earlier versions wrote."""
    stored = replace(NO_EVIDENCE, warning=True, withheld=True, incident_since=CHANGE.since).to_dict()
    assert stored.keys() == {"alert", "warning", "gated", "change", "incident", "no_skill"}
    assert (stored["gated"], stored["incident"]) == (True, CHANGE.since.isoformat())
