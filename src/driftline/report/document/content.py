"""What a report is about: the chunks of a model, the reference they are compared with, and its JSON. No I/O here."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from driftline.engine.evidence.visible_change import VisibleChange
from driftline.engine.evidence.wording import describe_visible
from driftline.engine.spec import Period, Spec
from driftline.report.schema import chunk_values, result_values, utc_text
from driftline.report.view import ChunkView
from driftline.report.wording import PERIOD_WORDS

_PERIODS = {period.value: word for period, word in PERIOD_WORDS.items()}


@dataclass(frozen=True, slots=True)
class ReferenceSummary:
    """The reference of a report: its number of rows, its first and last event, and its number of chunks.

    `visible_changes` are the smallest changes that alerts detect; `proposed_period` is a longer period where that is
    not enough. Both are empty where only bounds alert; `no_evidence` is the reason, None where it is the spec.
    """

    rows: int
    since: datetime
    until: datetime
    chunks: int
    visible_changes: tuple[VisibleChange, ...] = ()
    proposed_period: Period | None = None
    no_evidence: str | None = None

    @property
    def visible_lines(self) -> tuple[str, ...]:
        """The changes that alerts detect, in words."""
        return describe_visible(self.visible_changes, self.proposed_period, self.no_evidence)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        since, until = utc_text(self.since), utc_text(self.until)
        return {"rows": self.rows, "from": since, "until": until, "chunks": self.chunks}


class InferredSetting(Protocol):
    """A setting that the request left open: its name, its inferred value and the rule."""

    @property
    def what(self) -> str:
        """The setting."""

    @property
    def value(self) -> str:
        """The inferred value."""

    @property
    def rule(self) -> str:
        """How it was inferred."""


@dataclass(frozen=True, slots=True)
class ReportContent:
    """The content of a report: chunks of a model, oldest first, compared with its reference.

    `kind` names the report under its title, such as `version 3`. `cut` is how the rows were cut: a period such as `1d`,
    `rows:5000` or `count:20`. `notes` are to be read first. `earlier` are the chunks of the range before, which the
    report compares with; without any it compares with the reference only.
    """

    model: str
    kind: str
    spec: Spec
    cut: str
    reference: ReferenceSummary
    chunks: Sequence[ChunkView]
    notes: tuple[str, ...] = ()
    inferred: Sequence[InferredSetting] = ()
    earlier: Sequence[ChunkView] = ()

    @property
    def period(self) -> str:
        """The word for one chunk: `day`, or `chunk` where rows were counted."""
        return _PERIODS.get(self.cut, "chunk")

    @property
    def cut_words(self) -> str:
        """The cut in words, in singular or plural."""
        unit, _, size = self.cut.partition(":")
        noun = "chunk" if len(self.chunks) == 1 else "chunks"
        words = {"rows": f"{noun} of {size} rows", "count": f"{noun} of equal size"}
        return words.get(unit, f"{noun} of one {self.period}")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, as `docs/reference/backtest.schema.json` describes them; instants are ISO 8601 in UTC."""
        return {**self._head(), "chunks": list(map(self._chunk_values, self.chunks))}

    def json_parts(self) -> Iterator[str]:
        """Yield the JSON text chunk by chunk, since with very many chunks it does not fit in memory."""
        yield f'{_json(self._head())[:-1]}, "chunks": ['
        for index, chunk in enumerate(self.chunks):
            yield (", " if index else "") + _json(self._chunk_values(chunk))
        yield "]}\n"

    def _head(self) -> dict[str, Any]:
        """Return the JSON values other than the chunks."""
        return {
            "model": self.model,
            "problem": self.spec.problem.value,
            "reference": self.reference.to_dict(),
            "chunk": self.cut,
            "time_zone": self.spec.time_zone,
            "inferred": [{"what": item.what, "value": item.value, "rule": item.rule} for item in self.inferred],
            "notes": list(self.notes),
        }

    def _chunk_values(self, chunk: ChunkView) -> dict[str, Any]:
        return {**chunk_values(self.spec, chunk), "results": list(map(result_values, chunk.results))}


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, allow_nan=False)
