"""A registered model, and its predictions and labels as each format has them."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine

from driftline.engine.spec import ModelClock, Spec
from driftline.ingest.ingestion import Ingestion, Sent
from driftline.ingest.rows.content import Content, Encoding, Format
from tests.integration.monitoring.world import FIRST, NOW, SPEC, make_world, rows_of

FEATURES = ["minutes", "distance", "carrier"]
WALL_SPEC = SPEC.model_copy(update={"clock": ModelClock.WALL})


def make_ingestion(engine: Engine, folder: Path, spec: Spec = SPEC) -> Ingestion:
    """Register the model and return what ingests for it."""
    make_world(engine, folder, spec)
    return Ingestion(engine, lambda: NOW)


def rows(count: int = 20, first: int = 0, day: datetime = FIRST) -> pd.DataFrame:
    """Predictions as a flat table has them, without what the monitor adds; some values are missing."""
    frame = rows_of(day, 200, seed=2)
    frame.loc[frame.index % 7 == 3, "minutes"] = None
    frame.loc[frame.index % 5 == 4, "carrier"] = None
    names = ["event_time", "id", "prediction", "probability_1", *FEATURES]
    return frame.iloc[first : first + count][names].reset_index(drop=True)


def labels_of(frame: pd.DataFrame, value: int | None = None) -> pd.DataFrame:
    """A label for each prediction."""
    values = [n % 2 for n in range(len(frame))] if value is None else value
    return pd.DataFrame({"id": frame["id"], "label": values, "known_at": pd.Timestamp(NOW)})


def nested(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as objects of JSON."""
    return [
        {
            "id": row["id"],
            "at": row["event_time"].isoformat(),
            "prediction": row["prediction"],
            "score": row["probability_1"],
            "features": {name: None if pd.isna(row[name]) else row[name] for name in FEATURES},
        }
        for row in frame.to_dict("records")
    ]


def objects_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Predictions or labels as objects of JSON."""
    if "label" not in frame:
        return nested(frame)
    return [
        {"id": row["id"], "label": row["label"], "known_at": row["known_at"].isoformat()}
        for row in frame.to_dict("records")
    ]


def _arrow(frame: pd.DataFrame) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _parquet(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink)
    return sink.getvalue()


BODIES: dict[Format, Callable[[pd.DataFrame], bytes]] = {
    Format.JSON: lambda frame: json.dumps(objects_of(frame)).encode(),
    Format.NDJSON: lambda frame: "\n".join(map(json.dumps, objects_of(frame))).encode(),
    Format.CSV: lambda frame: frame.to_csv(index=False).encode(),
    Format.PARQUET: _parquet,
    Format.ARROW: _arrow,
}
PACKED: dict[Encoding, Callable[[bytes], bytes]] = {
    Encoding.NONE: lambda body: body,
    Encoding.GZIP: gzip.compress,
    Encoding.ZSTD: lambda body: pa.Codec("zstd").compress(body, asbytes=True),
}


def body_of(frame: pd.DataFrame, format_: Format, encoding: Encoding = Encoding.NONE) -> bytes:
    """The bytes of a batch."""
    return PACKED[encoding](BODIES[format_](frame))


def sent(
    frame: pd.DataFrame, format_: Format = Format.ARROW, encoding: Encoding = Encoding.NONE, **options: Any
) -> Sent:
    """A batch as it is sent."""
    return Sent(Content.of(body_of(frame, format_, encoding), format_, encoding), **options)


def json_sent(value: object, **options: Any) -> Sent:
    """Any JSON as it is sent."""
    return Sent(Content.of(json.dumps(value).encode(), Format.JSON, None), **options)
