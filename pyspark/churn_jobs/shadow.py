"""Scores the days of a challenger's reference in shadow with the champion: the same rows, neither of them stored."""

from datetime import UTC, date, datetime, time

import numpy as np
import pandas as pd

from churn_jobs.days import DAY
from driftline.artifacts.loading import load_scorer
from driftline.engine.comparison.promotion import ShadowRows
from driftline.engine.results import EVENT_TIME, ID, LABEL, SCORE
from driftline.errors import NotFound
from driftline.store.versions.references import read_reference
from driftline.store.versions.registry import Version


def shadow_rows(champion: Version, challenger: Version) -> ShadowRows:
    """Return the rows of the challenger's reference with the scores of both.

    Neither was fitted on them: the challenger's reference begins after its train and validation windows, and days up to
    the champion's validation window are left out.

    Raises:
        NotFound: the champion has no artifact.
    """
    if champion.artifact_uri is None:
        raise NotFound(f"Version {champion.number} of {champion.name!r} has no artifact, so it cannot score in shadow.")
    reference = read_reference(challenger.reference_uri)
    frame = reference[reference[EVENT_TIME] >= _end_of_fit(champion)].reset_index(drop=True)
    chunks, starts = pd.factorize(frame[EVENT_TIME])
    subjects, _ = pd.factorize(frame[ID].str.partition("/")[2])
    scorer = load_scorer(champion.artifact_uri)
    return ShadowRows(
        starts=[start.to_pydatetime() for start in starts],
        chunks=chunks.astype(np.int64),
        subjects=subjects.astype(np.int64),
        labels=frame[LABEL].to_numpy(np.float64, na_value=np.nan),
        champion=scorer.binary_scores(frame) if len(frame) else np.empty(0),
        challenger=frame[SCORE].to_numpy(np.float64),
    )


def _end_of_fit(version: Version) -> datetime:
    """Return the end of the days that a version was fitted on; a version of another origin says none."""
    window = version.details.get("windows", {}).get("validation")
    last = date.fromisoformat(window["last"]) if window else date(1970, 1, 1)
    return datetime.combine(last + DAY, time(), UTC)
