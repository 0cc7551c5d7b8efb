"""The versions of a model, the retrainings that compared them, and the changes of their roles. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from driftline.engine.comparison.paired_roc_auc import PairedRocAuc
from driftline.engine.results import State
from driftline.store.versions.model_list import VersionSummary
from driftline.store.versions.registry import Version
from driftline.store.versions.retrainings import Retraining, RetrainingState
from driftline.store.versions.roles import Author, Role, RoleAction, RoleChange
from driftline.tracking.training_runs import LINK, PROBLEM

CHIPS: Mapping[RetrainingState, State] = {
    RetrainingState.RUNNING: State.PENDING_LABELS,
    RetrainingState.PROMOTED: State.OK,
    RetrainingState.KEPT: State.INSUFFICIENT,
    RetrainingState.FAILED: State.ERROR,
}
"""The state whose color a retraining has."""
DECISIONS: Mapping[RetrainingState, str] = {
    RetrainingState.RUNNING: "running",
    RetrainingState.PROMOTED: "challenger promoted",
    RetrainingState.KEPT: "champion kept",
    RetrainingState.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class TrainingLink:
    """Where a version's training is recorded, or why it is not yet, and the address of an MLflow server or None."""

    words: str
    address: str | None


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version as the table shows it."""

    number: int
    state: str
    role: Role | None
    registered_at: datetime
    reference_hash: str
    spec_revision: int
    training: TrainingLink | None


@dataclass(frozen=True, slots=True)
class RetrainingRow:
    """A retraining as the table shows it; the numbers are `–` where nothing was compared."""

    retraining: Retraining
    chip: State
    decision: str
    champion: str
    challenger: str
    difference: str
    rows: str


@dataclass(frozen=True, slots=True)
class RoleEntry:
    """A change of a role in words: what happened, when, who did it and why."""

    words: str
    author: Author


@dataclass(frozen=True, slots=True)
class VersionsPage:
    """The versions of a model, its retrainings and the changes of its roles, the newest first."""

    version: Version
    versions: tuple[VersionRow, ...]
    retrainings: tuple[RetrainingRow, ...]
    roles: tuple[RoleEntry, ...]


def versions_page(
    version: Version,
    summaries: Sequence[VersionSummary],
    retrainings: Sequence[Retraining],
    roles: Sequence[RoleChange],
) -> VersionsPage:
    """Return the page of a model; `summaries` and `roles` are the oldest first, `retrainings` the newest."""
    return VersionsPage(
        version=version,
        versions=tuple(_version_row(summary) for summary in reversed(summaries)),
        retrainings=tuple(map(_retraining_row, retrainings)),
        roles=tuple(RoleEntry(_role_words(change), change.author) for change in reversed(roles)),
    )


def _version_row(summary: VersionSummary) -> VersionRow:
    return VersionRow(
        number=summary.version,
        state=summary.state,
        role=summary.role,
        registered_at=summary.created_at,
        reference_hash=summary.reference_hash,
        spec_revision=summary.revisions[-1].revision,
        training=training_link(summary.details),
    )


def training_link(details: Any) -> TrainingLink | None:
    """Return where MLflow has a version's training, or why it does not have it yet; None where it never will."""
    if not isinstance(details, Mapping):
        return None
    link = details.get(LINK)
    if link is None:
        problem = details.get(PROBLEM)
        return None if problem is None else TrainingLink(f"not recorded yet: {problem}", None)
    model, number = link["registered_model"], link["registered_version"]
    server: str = link["tracking_uri"]
    is_server = server.startswith(("http://", "https://"))
    address = f"{server.rstrip('/')}/#/models/{quote(model, safe='')}/versions/{quote(number, safe='')}"
    return TrainingLink(f"{model} version {number}, run {link['run_id']}", address if is_server else None)


def _retraining_row(retraining: Retraining) -> RetrainingRow:
    compared = retraining.comparison
    champion, challenger, difference, rows = ("–",) * 4 if compared is None else _numbers(compared)
    state = retraining.state
    return RetrainingRow(retraining, CHIPS[state], DECISIONS[state], champion, challenger, difference, rows)


def _numbers(compared: PairedRocAuc) -> tuple[str, str, str, str]:
    """Return the ROC AUC of both, their difference, each with its standard error, and what was compared."""
    return (
        f"{compared.first:.3f} ± {compared.first_error:.3f}",
        f"{compared.second:.3f} ± {compared.second_error:.3f}",
        f"{compared.difference:+.3f} ± {compared.difference_error:.4f}",
        f"{compared.rows:,} rows, {compared.subjects:,} subjects",
    )


def _role_words(change: RoleChange) -> str:
    """Return what a change of a role is in words."""
    instead = f", instead of version {change.replaced}" if change.replaced is not None else ""
    return {
        RoleAction.PROMOTE: f"version {change.version} is champion{instead}",
        RoleAction.ROLLBACK: f"rolled back to version {change.version}{instead}",
        RoleAction.CHALLENGE: f"version {change.version} is challenger",
        RoleAction.DISMISS: f"version {change.version} is no longer a challenger",
    }[change.action]
