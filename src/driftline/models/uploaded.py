"""Proposes a model from a reference that came as the body of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from driftline.backtesting.input.open_source import open_source
from driftline.backtesting.input.sources import FrameSource, TableSource, to_frame
from driftline.backtesting.request.names import split_score
from driftline.backtesting.request.request import Request
from driftline.backtesting.request.resolved import read_request
from driftline.ingest.arrow_stream import read_stream
from driftline.ingest.content import Content, Format
from driftline.ingest.content_frame import require_small_parquet
from driftline.ingest.errors import UnsupportedContent
from driftline.ingest.layouts import query_option
from driftline.models.proposal import Proposal, propose_model

SUFFIXES = {Format.CSV: ".csv", Format.PARQUET: ".parquet"}
FORMATS = (*SUFFIXES, Format.ARROW)
"""The formats of a reference: tables, whose columns keep their types and their order."""


@dataclass(frozen=True, slots=True)
class ReferenceOptions:
    """What is said about the columns of a reference, as `driftline.backtest` takes it.

    A score is a column, or `CLASS=COLUMN` of each of several classes. `spec` are further fields of the spec.
    """

    timestamp: str
    label: str | None
    prediction: str | None
    scores: tuple[str, ...]
    id: str | None
    features: tuple[str, ...] | None
    categorical: tuple[str, ...] | None
    reference_until: str | None
    chunk: str | None
    problem: str | None
    positive: str | None
    na_values: tuple[str, ...]
    alert_budget: float | None
    alert_on: str | None
    spec: Mapping[str, Any]


def propose_uploaded(content: Content, name: str, options: ReferenceOptions) -> Proposal:
    """Infer a model from an uploaded reference and fit it; nothing is stored.

    Raises:
        UnsupportedContent: the reference is no table. TooMuchContent: it is too large once it is unpacked.
        InvalidInput: with every fault of the options; or the rows do not fit them, or the reference is too short.
    """
    with TemporaryDirectory(prefix="driftline-") as folder:
        source = _source(content, Path(folder), options.na_values)
        request = replace(
            _request(options, name), scores=tuple(split_score(text, source.columns) for text in options.scores)
        )
        return propose_model(source, read_request(request, source.columns), name)


def _source(content: Content, folder: Path, na_values: tuple[str, ...]) -> TableSource:
    if content.format is Format.ARROW:
        return FrameSource(to_frame(read_stream(content.data)), "reference")
    if content.format not in SUFFIXES:
        raise UnsupportedContent(f"A reference is a table, not {content.format}; send one of {', '.join(FORMATS)}.")
    file = folder / f"reference{SUFFIXES[content.format]}"
    file.write_bytes(content.data)
    source = open_source(file, na_values)
    if content.format is Format.PARQUET:
        require_small_parquet(file)
    return source


def _request(options: ReferenceOptions, name: str) -> Request:
    return Request(
        timestamp=options.timestamp,
        label=options.label,
        prediction=options.prediction,
        id=options.id,
        features=options.features,
        categorical=options.categorical,
        reference_until=options.reference_until,
        chunk=options.chunk,
        problem=options.problem,
        positive=options.positive,
        na_values=options.na_values,
        alert_budget=options.alert_budget,
        alert_on=options.alert_on,
        spec=options.spec,
        name=name,
        option=query_option,
    )
