"""Whether a challenger is promoted: the same labelled chunks, scored by both, compared beyond noise. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from driftline.engine.comparison.paired_roc_auc import Codes, PairedRocAuc, paired_roc_auc
from driftline.engine.frames.columns import FloatArray


@dataclass(frozen=True, slots=True)
class PromotionRule:
    """When a challenger is promoted.

    Attributes:
        label_coverage: the share of a chunk's labels that must be known; other chunks are not compared.
        chunks: at least so many labelled chunks.
        subjects: at least so many subjects; the variance between fewer is not known well enough.
        errors: the challenger must be better by so many standard errors. With 3.3 a challenger that is no better is
            promoted once in 2,000 comparisons.
        gain: and by so much; a smaller gain is not worth the change.
    """

    label_coverage: float = 0.95
    chunks: int = 7
    subjects: int = 50
    errors: float = 3.3
    gain: float = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class ShadowRows:
    """Rows that both models scored: when their chunk starts, whose they are, their labels (NaN: unknown), the scores.

    `chunks` has an index into `starts` for each row, and `subjects` a number.
    """

    starts: Sequence[datetime]
    chunks: Codes
    subjects: Codes
    labels: FloatArray
    champion: FloatArray
    challenger: FloatArray


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the challenger is promoted, why or why not, and what was compared; None where nothing could be."""

    promote: bool
    reason: str
    chunks: int
    comparison: PairedRocAuc | None = None


def decide(rows: ShadowRows, rule: PromotionRule) -> Decision:
    """Compare the challenger with the champion on the chunks whose labels are known."""
    labelled_chunks = _labelled_chunks(rows, rule.label_coverage)
    chunks = int(labelled_chunks.sum())
    if chunks < rule.chunks:
        return Decision(
            False,
            f"{chunks} of {len(rows.starts)} chunks have {rule.label_coverage:.0%} of their labels, and {rule.chunks} "
            "are required; nothing is promoted without labels",
            chunks,
        )
    compared = labelled_chunks[rows.chunks] & ~np.isnan(rows.labels)
    _, subjects = np.unique(rows.subjects[compared], return_inverse=True)
    labels, count = rows.labels[compared], int(subjects.max()) + 1
    if count < rule.subjects or len(np.unique(labels)) < 2:
        reason = f"{count:,} subjects with {int(labels.sum()):,} positives are too few; {rule.subjects:,} are required"
        return Decision(False, reason, chunks)
    comparison = paired_roc_auc(labels, rows.champion[compared], rows.challenger[compared], subjects.astype(np.int64))
    return _judged(comparison, rule, chunks)


def _labelled_chunks(rows: ShadowRows, coverage: float) -> npt.NDArray[np.bool_]:
    """Return for each chunk whether enough of its labels are known; a chunk without rows has none."""
    count = len(rows.starts)
    labelled = np.bincount(rows.chunks, weights=~np.isnan(rows.labels), minlength=count)
    total = np.bincount(rows.chunks, minlength=count)
    result: npt.NDArray[np.bool_] = (total > 0) & (labelled >= coverage * total)
    return result


def _judged(comparison: PairedRocAuc, rule: PromotionRule, chunks: int) -> Decision:
    """Promote where the gain is beyond the noise and large enough."""
    difference, error = comparison.difference, comparison.difference_error
    facts = (
        f"ROC AUC {comparison.second:.3f} after {comparison.first:.3f} on {comparison.rows:,} labelled rows of "
        f"{comparison.subjects:,} subjects in {chunks} chunks: a difference of {difference:+.3f} with a standard error "
        f"of {error:.4f} by subject"
    )
    if comparison.lower(rule.errors) <= 0:
        return Decision(False, f"{facts}, not beyond the noise ({rule.errors:g} errors)", chunks, comparison)
    if difference < rule.gain:
        return Decision(False, f"{facts}, below the smallest gain of {rule.gain:g}", chunks, comparison)
    return Decision(True, f"{facts}, beyond the noise ({rule.errors:g} errors)", chunks, comparison)
