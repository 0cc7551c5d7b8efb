"""The smallest visible changes, checked by simulation, and the words for changes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy.special import expit, logit

from driftline.engine.evidence.chunk_evidence import Change
from driftline.engine.evidence.detector import RESERVE, grow, masses
from driftline.engine.evidence.families import BINARY, Family, Stage
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.evidence.visible_change import tilted, visible_changes
from driftline.engine.evidence.wording import describe_alert, describe_warning, describe_withheld, how_often
from tests.unit.engine.evidence.evidence_builders import no_weekday, reference

FITTED = reference()
YEARS = 1 / 365.25
UTC_ZONE = ZoneInfo("UTC")


def power(chances: np.ndarray, chunks: int, runs: int = 200) -> float:
    """Return how often `chunks` days with these chances by bin alert; all runs move at once."""
    random = np.random.default_rng(11)
    pool = (FITTED.pool / FITTED.pool.sum()).ravel()
    scored = random.multinomial(950, pool, size=chunks * runs).reshape(-1, 2, FITTED.bins.count)
    counts = ScoreCounts(scored, scored, random.binomial(scored, chances))
    empty = FITTED.empty_counts()
    parts = [FITTED.evidence(stage, counts, empty, no_weekday(counts)).log_evidence for stage in Stage]
    ratios, saved, detected = np.zeros((runs, BINARY.count)), RESERVE, np.zeros(runs, dtype=bool)
    for chunk in np.sum(parts, axis=0).reshape(chunks, runs, -1):
        saved, mass = masses(saved, YEARS, 1.0, drifting=False)
        ratios = grow(ratios, BINARY.weights * mass, chunk)
        detected |= ratios.sum(-1) >= 1
    return float(detected.mean())


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_promised_to_be_seen_is_found_8_times_in_10(place: int) -> None:
    """Within 1, 7 and 30 days: a loss of ranking, a rise of the share; a third of it is not."""
    visible = visible_changes(FITTED, 1.0, YEARS)[place]
    tilts = np.linspace(0.1, 3, 300)
    pool = FITTED.pool
    usual = auc(pool, FITTED.bins.chances)
    assert visible.roc_auc is not None
    assert visible.share is not None
    tilt = next(tilt for tilt in tilts if usual - auc(pool, tilted(FITTED, tilt)) >= visible.roc_auc)
    assert power(tilted(FITTED, tilt), visible.chunks) >= 0.75
    shifts = np.linspace(0, 3, 300)
    shares = [pool.sum(0) @ expit(logit(FITTED.bins.chances) + shift) / pool.sum() for shift in shifts]
    shift = shifts[int(np.searchsorted(shares, visible.share))]
    assert power(expit(logit(FITTED.bins.chances) + shift), visible.chunks) >= 0.75
    assert power(expit(logit(FITTED.bins.chances) + shift / 3), visible.chunks) <= 0.4


def auc(pool: np.ndarray, chances: np.ndarray) -> float:
    """Return the expected ROC AUC, computed pair by pair."""
    rows = pool.sum(0)
    positive, negative = rows * chances, rows * (1 - chances)
    wins = np.tril(np.ones((len(rows), len(rows))), -1) + 0.5 * np.eye(len(rows))
    return float(positive @ wins @ negative / (positive.sum() * negative.sum()))


def test_more_chunks_and_more_rows_see_smaller_changes() -> None:
    """Each horizon sees less than the one before, and a week of rows more than a day of rows."""
    days, weeks = visible_changes(FITTED, 1.0, YEARS), visible_changes(FITTED, 1.0, 7 * YEARS, rows=6650)
    assert [change.chunks for change in days] == [1, 7, 30]
    falls = [change.roc_auc or 1 for change in days]
    assert falls == sorted(falls, reverse=True)
    assert (weeks[0].roc_auc or 1) < falls[0]


def test_a_few_rows_promise_nothing() -> None:
    """Three rows an hour see no change within one."""
    assert visible_changes(FITTED, 1.0, YEARS / 24, rows=3)[0].roc_auc is None


SINCE = datetime(2026, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("family", "component", "observed", "usual", "words"),
    [
        (Family.SHARE, 0, 0.21, 0.14, "21 % were positive where these scores promise 14 %, since about 12 May 2026"),
        (Family.RANKING, 0, 0.79, 0.87, "ROC AUC 0.79, where 0.87 is expected from these scores"),
        (Family.EXPECTED, 1, 0.58, 0.64, "Estimated from the scores, F1 falls to 0.58, from 0.64 in the reference"),
        (Family.REALIZED, 5, 0.7, 0.8, "Accuracy has fallen to 0.7, from 0.8 in the reference"),
    ],
)
def test_words_name_the_evidence_its_start_and_its_size(
    family: Family, component: int, observed: float, usual: float, words: str
) -> None:
    """Each family has its sentence, and an alert says how often chance would do it."""
    change = Change(family, BINARY.columns(family).start + component, SINCE, observed, usual)
    assert words in describe_alert(change, 1.0, UTC_ZONE)
    assert describe_alert(change, 1.0, UTC_ZONE).endswith("a change this clear turns up by chance at most once a year.")
    assert words in describe_warning(change, 1.0, UTC_ZONE)
    assert "no metric is worse by its margin yet" in describe_withheld(change, UTC_ZONE)


def test_shares_that_differ_little_get_more_digits() -> None:
    """Two equal numbers would not be a reason."""
    change = Change(Family.SHARE, 0, SINCE.replace(hour=8), 0.0143, 0.0138)
    assert "1.43 % were positive where these scores promise 1.38 %, since about 12 May 2026 08:00" in describe_alert(
        change, 4.0, UTC_ZONE
    )


@pytest.mark.parametrize(
    ("budget", "words"),
    [(1.0, "at most once a year"), (4.0, "at most 4 times a year"), (0.5, "at most once in 2 years")],
)
def test_budgets_in_words(budget: float, words: str) -> None:
    """The budget is said as a frequency."""
    assert how_often(budget) == words
