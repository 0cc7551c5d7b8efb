"""The detector on chunks over time: alerts, incidents, late labels, and resuming from any closed chunk."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from driftline.engine.evidence.chunk_evidence import AlertRule, ChunkEvidence, DetectorInput
from driftline.engine.evidence.families import Family, Stage
from driftline.engine.evidence.metrics.bin_metrics import metrics_of
from driftline.engine.evidence.metrics.no_skill import no_skill
from driftline.engine.evidence.replay import DetectorHistory, replay
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from tests.unit.engine.evidence.evidence_builders import DAY, chunks_of, drawn, reference

FITTED = reference()
RULE = AlertRule(1.0)


def stream(calm: int, changed: int, *, seed: int = 5, size: int = 950, **change: float) -> ScoreCounts:
    """Return calm chunks and then changed ones."""
    random = np.random.default_rng(seed)
    return joined(
        drawn(FITTED.bins, random, calm, size),
        drawn(FITTED.bins, random, changed, size, **change),
    )


def joined(*parts: ScoreCounts) -> ScoreCounts:
    """Return the chunks of all parts."""
    names = ("scored", "labelled", "positives")
    return ScoreCounts(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def alerts(chunks: list[DetectorInput], rule: AlertRule = RULE) -> list[int]:
    """Return the places of the chunks that alert."""
    evidence = replay(FITTED, rule, chunks).evidence
    return [place for place, chunk in enumerate(chunks) if evidence.get(chunk.start, ChunkEvidence()).alert]


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    """Return whether stored histories are equal up to rounding."""
    blocks = left.pop("open_blocks") == right.pop("open_blocks")
    names = [name for name in left if name != "incident_since"]
    return (
        blocks
        and left["incident_since"] == right["incident_since"]
        and all(np.allclose(left[name], right[name], rtol=1e-9, atol=0) for name in names)
    )


def test_calm_chunks_do_not_alert_and_a_change_does_at_once() -> None:
    """Sixty calm days, then half as many positives again: the first changed day alerts, and names the change."""
    chunks = chunks_of(stream(60, 5, shift=0.9))
    assert alerts(chunks)[0] == 60
    change = replay(FITTED, RULE, chunks).evidence[chunks[60].start].change
    assert change is not None
    assert (change.family, change.since) == (Family.SHARE, chunks[60].start)
    assert change.observed > 1.3 * change.usual
    assert change.metric is None
    assert min(change.log_evidence or 0, change.share_of_alert or 0) > 1


def test_long_chunks_are_no_evidence_by_their_length() -> None:
    """Four years of quarters: what warns or alerts has a change, and its start."""
    calm = replay(FITTED, RULE, chunks_of(stream(16, 0), length=91 * DAY)).evidence
    assert not any(item.alert or item.warning for item in calm.values())
    changed = replay(FITTED, RULE, chunks_of(stream(8, 8, shift=0.9), length=91 * DAY)).evidence
    changes = [item.change for item in changed.values() if item.alert or item.warning]
    assert changes
    assert all(change and change.since.year >= 2026 and (change.log_evidence or 0) > 0 for change in changes)


def test_evidence_that_was_stored_without_its_strength_is_read() -> None:
    chunks = chunks_of(stream(20, 5, shift=0.9))
    evidence = next(item for item in replay(FITTED, RULE, chunks).evidence.values() if item.alert)
    stored = evidence.to_dict()
    assert ChunkEvidence.from_dict(stored) == evidence
    del stored["change"]["log_evidence"], stored["change"]["share_of_alert"]
    change = ChunkEvidence.from_dict(stored).change
    assert change is not None
    assert (change.since, change.log_evidence) == (evidence.change and evidence.change.since, None)


def test_a_small_change_is_found_by_adding_up_evidence() -> None:
    """No single day shows it; the alert comes within a week, and its start is dated to within two days."""
    chunks = chunks_of(stream(40, 20, shift=0.45))
    first = alerts(chunks)[0]
    assert 41 <= first <= 47
    change = replay(FITTED, RULE, chunks).evidence[chunks[first].start].change
    assert change is not None
    assert abs(change.since - chunks[40].start) <= 2 * DAY


def test_worse_ranking_is_its_own_evidence() -> None:
    """A flatter slope of the log-odds is named as ranking."""
    chunks = chunks_of(stream(10, 3, tilt=-0.9))
    first = alerts(chunks)[0]
    change = replay(FITTED, RULE, chunks).evidence[chunks[first].start].change
    assert first == 10
    assert change is not None
    assert change.family is Family.RANKING
    assert change.observed < change.usual


def test_lasting_drift_brings_an_alert_forward() -> None:
    """With the saved mass the same evidence crosses no later."""
    counts = stream(20, 20, shift=0.35)
    with_drift = alerts(chunks_of(counts, drifting=frozenset(range(21, 40))))
    assert with_drift[0] < alerts(chunks_of(counts))[0]


def test_a_larger_budget_alerts_no_later() -> None:
    """Twelve a year instead of one."""
    counts = stream(20, 10, shift=0.45)
    assert alerts(chunks_of(counts), AlertRule(12.0))[0] <= alerts(chunks_of(counts))[0]


def test_labels_count_when_they_are_due() -> None:
    """The alert belongs to the chunk of the labels; the one that closes then is in the incident."""
    chunks = chunks_of(stream(20, 10, shift=0.9), delay=3 * DAY)
    evidence = replay(FITTED, RULE, chunks).evidence
    assert evidence[chunks[20].start].alert
    assert evidence[chunks[23].start].incident_since == chunks[20].start
    early = replay(FITTED, RULE, [replace(chunk, labels_in=place <= 20) for place, chunk in enumerate(chunks)])
    assert [start for start, chunk in early.evidence.items() if chunk.alert] == [chunks[20].start]
    waiting = [replace(chunk, labels_in=place < 20) for place, chunk in enumerate(chunks)]
    assert alerts(waiting) == []


def test_chunks_without_labels_put_no_mass_in() -> None:
    """Four years without a label do not alert by themselves."""
    chunks = [
        replace(chunk, labels_in=False) for chunk in chunks_of(drawn(FITTED.bins, np.random.default_rng(2), 1_500, 950))
    ]
    history = replay(FITTED, RULE, chunks).histories[chunks[-1].start]
    assert not history.state.ratios[:9].any()


def test_an_incident_closes_after_the_change_ends() -> None:
    """It opens with the alert, covers the changed chunks, and closes within two weeks of calm."""
    counts = stream(20, 10, shift=0.9)
    calm = drawn(FITTED.bins, np.random.default_rng(8), 20, 950)
    chunks = chunks_of(joined(counts, calm))
    evidence = replay(FITTED, RULE, chunks).evidence
    incidents = [evidence.get(chunk.start, ChunkEvidence()).incident_since for chunk in chunks]
    assert incidents[:20] == [None] * 20
    assert set(incidents[20:30]) == {chunks[20].start}
    assert incidents[44:] == [None] * 6


@pytest.mark.parametrize("delay", [timedelta(0), 3 * DAY, 60 * timedelta(hours=1)])
@pytest.mark.parametrize("size", [950, 200])
def test_resuming_from_any_chunk_gives_the_same_as_all_at_once(delay: timedelta, size: int) -> None:
    """The history after a chunk, stored as JSON, and the later ticks are enough."""
    chunks = chunks_of(stream(30, 12, size=size, shift=0.6), delay=delay, drifting=frozenset({35, 36}))
    at_once = replay(FITTED, RULE, chunks)
    for place in (0, 7, 29, 33, 40):
        cut = chunks[place]
        history = DetectorHistory.from_dict(at_once.histories[cut.start].to_dict(), FITTED)
        resumed = replay(FITTED, RULE, chunks, history, after=cut.closes_at)
        last = chunks[-1].start
        assert same(resumed.histories[last].to_dict(), at_once.histories[last].to_dict())
        later = {start for start in at_once.evidence if start > cut.start}
        assert {start: resumed.evidence[start] for start in later} == {
            start: at_once.evidence[start] for start in later
        }


def test_late_labels_change_what_is_replayed() -> None:
    """Labels that come after the deadline raise an alert at the chunk they belong to."""
    chunks = chunks_of(stream(20, 3, shift=0.9))
    early = [replace(chunk, labels_in=place != 20) for place, chunk in enumerate(chunks)]
    assert alerts(early)[0] == 21
    assert alerts(chunks)[0] == 20


def test_an_alert_on_harm_needs_a_metric_that_falls() -> None:
    """A third more positives move accuracy by less than its margin: a change, and rarely harm."""
    chunks = chunks_of(stream(20, 20, shift=0.3))
    change, harm = (alerts(chunks, AlertRule(1.0, harm_only)) for harm_only in (False, True))
    assert change
    assert not harm or harm[0] > change[0]
    evidence = replay(FITTED, AlertRule(1.0, harm_only=True), chunks).evidence
    assert evidence[chunks[change[0]].start].withheld
    assert alerts(chunks_of(stream(20, 4, tilt=-1.2)), AlertRule(1.0, harm_only=True))


def test_open_chunks_are_no_evidence() -> None:
    """A chunk that has not closed moves nothing."""
    chunks = [replace(chunk, closed=False) for chunk in chunks_of(stream(1, 5, shift=2.0))]
    assert replay(FITTED, RULE, chunks).evidence == {}


def test_a_model_without_skill_is_named_where_rows_could_tell() -> None:
    """Labels drawn without regard to the score: 950 rows tell, 20 do not."""
    random = np.random.default_rng(0)
    slope = float(np.ptp(np.log(FITTED.bins.chances / (1 - FITTED.bins.chances))) / np.ptp(FITTED.bins.scaled_log_odds))
    flat, few, usual = (
        drawn(FITTED.bins, random, 1, size, tilt=tilt)[0] for size, tilt in ((950, -slope), (20, -slope), (950, 0.0))
    )
    judged = [
        no_skill(FITTED.roc_auc, counts, float(metrics_of(counts.labelled, counts.positives)[0]))
        for counts in (flat, few, usual)
    ]
    assert judged == [pytest.approx(0.5, abs=0.06), None, None]


def test_scores_move_when_a_chunk_closes() -> None:
    """Families of the scores have their own place: without any label they alert on scores that promise less."""
    random = np.random.default_rng(3)
    counts = drawn(FITTED.bins, random, 12, 950)
    chunks = chunks_of(counts)
    scored = counts.scored[0].copy()
    scored[:, scored.shape[1] // 3 :] //= 6
    of_few = replace(counts[0], scored=scored)
    fallen = [replace(c, labels_in=False, counts=of_few) for c in chunks[6:]]
    calm = [replace(c, labels_in=False) for c in chunks[:6]]
    evidence = replay(FITTED, RULE, calm + fallen).evidence
    change = evidence[chunks[6].start].change
    assert change is not None
    assert change.family is Family.EXPECTED
    assert Stage.SCORES.value == "scores"
