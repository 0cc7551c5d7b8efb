"""The requests and responses about results, as types that /openapi.json shows."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from driftline.engine.results import ResultKind, State, SubjectKind
from driftline.report.schema import ResultOut, UtcInstant
from monitoring.api.schemas import DayOrInstant, Instant
from monitoring.report.stored_results import ResultFilter, ResultRange

MOST_CHUNKS = 1_000
_BIG = 2**31 - 1


class ResultFormat(StrEnum):
    """How results are written."""

    JSON = "json"
    CSV = "csv"
    ARROW = "arrow"


class ResultQuery(BaseModel):
    """Which results, of which chunks, as of when, and how they are written."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1, le=_BIG, description="default: the champion, or else the newest")
    first: DayOrInstant | None = Field(None, alias="from", description="first start; default: the newest chunks")
    last: DayOrInstant | None = Field(None, alias="to", description="last start, included")
    as_of: Instant | None = Field(None, description="read what had been computed by this instant")
    most: int = Field(60, ge=1, le=MOST_CHUNKS, description="the most chunks in one response")
    subject: str | None = Field(None, description="a column, or `model`")
    subject_kind: SubjectKind | None = None
    kind: ResultKind | None = None
    method: str | None = Field(None, description="a metric or method, such as `roc_auc`")
    segment: str | None = Field(None, description="such as `region=EU`; empty: the results on all rows")
    state: State | None = None
    format: ResultFormat = ResultFormat.JSON

    def span(self) -> ResultRange:
        """Return the requested chunks."""
        return ResultRange(self.first, self.last, self.as_of, self.most)

    def filter(self) -> ResultFilter:
        """Return the requested results."""
        return ResultFilter(self.subject, self.subject_kind, self.kind, self.method, self.segment, self.state)


class ResultRowOut(ResultOut):
    """A result with its chunk: a half-open period from `start` to `end`, and the revision that holds the result."""

    start: UtcInstant
    end: UtcInstant
    revision: int
    closed: bool


class ResultsOut(BaseModel):
    """Results, oldest chunk first; `next` is the `from` of the page after it, or null."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "model": "churn",
                "version": 1,
                "as_of": None,
                "next": "2026-05-13T00:00:00Z",
                "results": [
                    {
                        "start": "2026-05-12T00:00:00Z",
                        "end": "2026-05-13T00:00:00Z",
                        "revision": 2,
                        "closed": True,
                        "subject_kind": "model",
                        "subject": "model",
                        "segment": None,
                        "kind": "realized",
                        "method": "roc_auc",
                        "value": 0.8312,
                        "lower": 0.8011,
                        "upper": 0.8614,
                        "alert_lower": 0.7911,
                        "alert_upper": 0.8714,
                        "expected": 0.8313,
                        "sampling_error": 0.0101,
                        "p_value": None,
                        "effect": None,
                        "rows": 950,
                        "state": "ok",
                        "reason": None,
                    }
                ],
            }
        }
    )

    model: str
    version: int
    as_of: UtcInstant | None
    next: UtcInstant | None
    results: tuple[ResultRowOut, ...]
