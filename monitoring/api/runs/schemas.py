"""The responses about runs of the poll, as types that /openapi.json shows."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from driftline.report.schema import ChunkBrief
from monitoring.api.schemas import AdviceOut
from monitoring.run_record import PollRunState

_POLL: dict[str, Any] = {
    "run": "3f9a0c51d2e7",
    "message": "1 chunks computed (1 revised); 1 verdicts changed.",
    "seconds": 0.412,
    "batches": 2,
    "chunks": 1,
    "revisions": 1,
    "verdicts": 1,
    "failed": 0,
    "models": [
        {
            "name": "churn",
            "version": 1,
            "computed": ["2026-05-12T00:00:00Z"],
            "failed": [],
            "clock": "2026-05-17T00:00:00Z",
            "chunks": [],
            "missing": [],
        }
    ],
    "more_models": 0,
    "missing": [],
}
_RUN: dict[str, Any] = {
    "run": "3f9a0c51d2e7",
    "state": "ended",
    "began_at": "2026-05-17T00:00:20Z",
    "ended_at": "2026-05-17T00:01:02Z",
    "problem": None,
}


class FailedChunk(BaseModel):
    """A chunk that could not be computed, and why; it is tried again later."""

    start: datetime
    reason: str


class ModelPolled(BaseModel):
    """A model version that a poll has changed.

    `computed` are the starts of the chunks that were computed; `chunks` the newest ones as they are now, oldest first;
    `missing` is what they lack.
    """

    name: str
    version: int
    computed: tuple[datetime, ...]
    failed: tuple[FailedChunk, ...]
    clock: datetime
    chunks: tuple[ChunkBrief, ...]
    missing: tuple[AdviceOut, ...]


class PollOut(BaseModel):
    """What a run of the poll did: `revisions` counts the closed chunks computed again, `verdicts` changed verdicts."""

    model_config = ConfigDict(json_schema_extra={"example": _POLL})

    run: str = Field(description="the name of the run: `GET /api/v1/runs/<run>` returns it again")
    message: str
    seconds: float
    batches: int
    chunks: int
    revisions: int
    verdicts: int
    failed: int
    models: tuple[ModelPolled, ...] = Field(description="the versions in which something changed, no others")
    more_models: int = Field(0, description="how many further versions changed")
    missing: tuple[AdviceOut, ...] = ()


class RunOut(BaseModel):
    """A run of the poll: whether it has ended, when, and why it failed or was interrupted if it was."""

    model_config = ConfigDict(json_schema_extra={"example": _RUN})

    run: str
    state: PollRunState
    began_at: datetime
    ended_at: datetime | None
    problem: str | None


class RunDetailOut(RunOut):
    """A run with what it did, once it has ended."""

    model_config = ConfigDict(json_schema_extra={"example": _RUN | {"result": _POLL}})

    result: PollOut | None


class RunsOut(BaseModel):
    """The runs that are kept, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"runs": [_RUN]}})

    runs: tuple[RunOut, ...]
