"""Registered models as JSON: what the command line writes with --json and the HTTP API answers. No I/O here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from driftline.engine.comparison.paired_roc_auc import PairedRocAuc
from driftline.engine.evaluation.reference import FittedReference
from driftline.engine.evidence.visible_change import VisibleChange
from driftline.engine.evidence.wording import describe_visible
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, State
from driftline.engine.spec import Period
from driftline.models import examples
from driftline.models.proposal import Proposal
from driftline.monitor import FittedMonitor
from driftline.store.versions.model_layout import ModelLayout
from driftline.store.versions.model_list import ModelSummary, VersionSummary
from driftline.store.versions.retrainings import Retraining, RetrainingState
from driftline.store.versions.roles import Role, RoleAction, RoleChange, Roles


class ModelSummaryOut(BaseModel):
    """A model in a list: its ready versions, and the newest chunk of the one that is used, with its verdict."""

    name: str
    versions: tuple[int, ...]
    registered_at: datetime
    version: int | None
    problem: str | None
    period: str | None
    features: int | None
    newest_chunk: datetime | None
    state: State | None
    owner: str | None

    @classmethod
    def of(cls, summary: ModelSummary) -> Self:
        """Return the JSON object of a summary."""
        return cls(**{name: getattr(summary, name) for name in cls.model_fields})


class FittedReferenceOut(BaseModel):
    """The rows that chunks are compared with: their number, their first and last event, and the number of chunks."""

    rows: int
    since: datetime
    until: datetime
    chunks: int
    content_hash: str

    @classmethod
    def of(cls, fitted: FittedReference) -> Self:
        """Return the JSON object of a fitted reference."""
        return cls(**{name: getattr(fitted, name) for name in cls.model_fields})


class ColumnsOut(BaseModel):
    """Which of the user's columns is which; `scores` are by the engine's names. A missing one is null."""

    timestamp: str | None
    id: str | None
    label: str | None
    prediction: str | None
    scores: dict[str, str]
    na_values: tuple[str, ...] = ()

    @classmethod
    def of(cls, layout: ModelLayout, scores: Sequence[str]) -> Self:
        """Return the JSON object of a layout."""
        sources = layout.sources
        return cls(
            timestamp=sources.get(EVENT_TIME),
            id=sources.get(ID),
            label=sources.get(LABEL),
            prediction=sources.get(PREDICTION),
            scores={name: sources[name] for name in scores if name in sources},
            na_values=layout.na_values,
        )


class VisibleChangeOut(BaseModel):
    """The smallest changes that alerts find 8 times in 10 within `chunks` chunks of `rows` rows; null: none."""

    chunks: int
    rows: int
    label: str | None = Field(description="the class that is compared with the rest, of a multiclass model")
    roc_auc: float | None = Field(description="a fall, and so are f1 and accuracy")
    f1: float | None
    accuracy: float | None
    share: float | None = Field(description="an increased share of positives, or of the class")
    usual_share: float | None
    mean_residual: float | None = Field(description="a move of the mean of label minus prediction, of a regression")
    mae: float | None = Field(description="an increased mean absolute error")
    usual_mae: float | None


class VisibleOut(BaseModel):
    """What the monitor will be able to see; nothing where bounds alone alert."""

    changes: tuple[VisibleChangeOut, ...]
    proposed_period: str | None = Field(description="a longer period, where chunks of the present one see too little")
    no_evidence: str | None = Field(description="why bounds alone alert although there is a budget, and what to do")
    words: tuple[str, ...]

    @classmethod
    def of(cls, changes: Sequence[VisibleChange], proposed: Period | None, no_evidence: str | None) -> Self:
        """Return the JSON object of visible changes, or of the reason why there are none."""
        names = VisibleChangeOut.model_fields
        return cls(
            changes=tuple(VisibleChangeOut(**{name: getattr(change, name) for name in names}) for change in changes),
            proposed_period=proposed,
            no_evidence=no_evidence,
            words=describe_visible(changes, proposed, no_evidence),
        )


class ProposalOut(BaseModel):
    """A model as it is, or would be, registered; `version` is null for a dry run, which stores nothing."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PROPOSAL})

    name: str
    version: int | None
    problem: str
    inferred: tuple[str, ...] = Field(description="what the request left open, and the rule that decided")
    notes: tuple[str, ...] = Field(description="what contradicts the expectations of the data; to be read first")
    columns: ColumnsOut
    reference: FittedReferenceOut
    visible: VisibleOut
    spec: dict[str, Any]

    @classmethod
    def of(cls, proposal: Proposal, version: int | None) -> Self:
        """Return the JSON object of a proposal, registered as `version` or not."""
        return cls(
            name=proposal.name,
            version=version,
            problem=proposal.spec.problem,
            inferred=tuple(str(inference) for inference in proposal.inferred if not inference.notable),
            notes=tuple(str(inference) for inference in proposal.inferred if inference.notable),
            columns=ColumnsOut.of(proposal.layout, proposal.spec.scores),
            reference=FittedReferenceOut.of(proposal.fitted),
            visible=VisibleOut.of(proposal.visible_changes, proposal.proposed_period, proposal.no_evidence),
            spec=proposal.spec.model_dump(mode="json"),
        )


class SpecRevisionOut(BaseModel):
    """A revision of a version's spec."""

    revision: int
    created_at: datetime
    spec: dict[str, Any]


class VersionOut(BaseModel):
    """A version of a model: its state (creating, ready or retired), its role, its columns and its spec revisions."""

    version: int
    state: str
    role: Role | None = Field(description="champion or challenger; changed by `promote` and `rollback`")
    registered_at: datetime
    reference_uri: str
    reference_hash: str
    columns: ColumnsOut
    details: Any
    specs: tuple[SpecRevisionOut, ...]

    @classmethod
    def of(cls, version: VersionSummary) -> Self:
        """Return the JSON object of a version."""
        return cls(
            version=version.version,
            state=version.state,
            role=version.role,
            registered_at=version.created_at,
            reference_uri=version.reference_uri,
            reference_hash=version.reference_hash,
            columns=ColumnsOut.of(version.layout, version.spec.scores),
            details=version.details,
            specs=tuple(
                SpecRevisionOut(
                    revision=revision.revision,
                    created_at=revision.created_at,
                    spec=revision.spec.model_dump(mode="json"),
                )
                for revision in version.revisions
            ),
        )


class ModelDetailOut(BaseModel):
    """A model with all its versions, oldest first, and the reference of the one that is used."""

    name: str
    version: int | None = Field(description="the version that is used: the champion, or else the newest ready one")
    reference: FittedReferenceOut | None
    visible: VisibleOut | None
    versions: tuple[VersionOut, ...]
    owner: str | None = Field(description="the person or team responsible for the model")

    @classmethod
    def of(
        cls,
        name: str,
        versions: Sequence[VersionSummary],
        used: int | None,
        fitted: FittedMonitor | None,
        owner: str | None,
    ) -> Self:
        """Return the JSON object of a model; `used` is the version that is used, and `fitted` that version."""
        return cls(
            name=name,
            version=used,
            reference=FittedReferenceOut.of(fitted.reference) if fitted else None,
            visible=fitted and VisibleOut.of(fitted.visible_changes(), fitted.proposed_period(), fitted.no_evidence),
            versions=tuple(map(VersionOut.of, versions)),
            owner=owner,
        )


class RoleChangeOut(BaseModel):
    """A change of a role: what was done to which version, who did it and why."""

    action: RoleAction
    version: int
    replaced: int | None = Field(description="the version that was used before a new champion")
    changed_at: datetime
    changed_by: str
    reason: str

    @classmethod
    def of(cls, change: RoleChange) -> Self:
        """Return the JSON object of a change."""
        return cls(
            action=change.action,
            version=change.version,
            replaced=change.replaced,
            changed_at=change.author.at,
            changed_by=change.author.name,
            reason=change.author.reason,
        )


class RolesOut(BaseModel):
    """The roles of a model's versions, and their changes, oldest first."""

    model_config = ConfigDict(json_schema_extra={"example": examples.ROLES})

    name: str
    champion: int | None = Field(description="null: none is named, and the newest ready version is used")
    challenger: int | None
    used: int | None = Field(description="the version that is used where none is named")
    changes: tuple[RoleChangeOut, ...]

    @classmethod
    def of(cls, name: str, roles: Roles, changes: Sequence[RoleChange]) -> Self:
        """Return the JSON object of a model's roles."""
        listed = tuple(map(RoleChangeOut.of, changes))
        return cls(name=name, champion=roles.champion, challenger=roles.challenger, used=roles.used, changes=listed)


class ComparisonOut(BaseModel):
    """The ROC AUC of the champion (`first`) and the challenger (`second`) on the same labelled rows."""

    first: float
    second: float
    first_error: float = Field(description="standard error, by subject")
    second_error: float
    difference: float = Field(description="the challenger's less the champion's")
    difference_error: float
    rows: int
    positives: int
    subjects: int

    @classmethod
    def of(cls, comparison: PairedRocAuc) -> Self:
        """Return the JSON object of a comparison."""
        return cls(**{name: getattr(comparison, name) for name in cls.model_fields})


class RetrainingOut(BaseModel):
    """A retraining: why it began, which versions it compared, what it decided and why."""

    position: int = Field(description="1 is the model's first retraining")
    state: RetrainingState
    cause: str = Field(description="the alert that lasts, or a person's reason")
    champion: int
    challenger: int | None = Field(description="null: none was trained")
    reason: str | None = Field(description="of the decision; null while it runs")
    comparison: ComparisonOut | None = Field(description="null: nothing was compared")
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, retraining: Retraining) -> Self:
        """Return the JSON object of a retraining."""
        fields = {name: getattr(retraining, name) for name in cls.model_fields}
        compared = retraining.comparison and ComparisonOut.of(retraining.comparison)
        return cls(**fields | {"comparison": compared})


class RetrainingsOut(BaseModel):
    """The retrainings of a model, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": examples.RETRAININGS})

    name: str
    retrainings: tuple[RetrainingOut, ...]

    @classmethod
    def of(cls, name: str, retrainings: Sequence[Retraining]) -> Self:
        """Return the JSON object of a model's retrainings."""
        return cls(name=name, retrainings=tuple(map(RetrainingOut.of, retrainings)))


class RevisedOut(BaseModel):
    """A new spec revision of a version, and how many chunks wait to be computed under it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "flights", "version": 1, "revision": 2, "pending_chunks": 31}}
    )

    name: str
    version: int
    revision: int
    pending_chunks: int


class RemovedOut(BaseModel):
    """A removed model, and how many rows were deleted with it."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "flights", "rows_deleted": 48_210}})

    name: str
    rows_deleted: int
