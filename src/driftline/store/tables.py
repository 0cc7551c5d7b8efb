"""Every table of the database as SQLAlchemy Core objects, each name spelled once. No I/O here."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import DATETIME, DOUBLE, LONGTEXT, VARCHAR
from sqlalchemy.types import TypeEngine

from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, ID, PREDICTION, SCORE
from driftline.engine.spec import Spec

metadata = MetaData()

INSTANT = DATETIME(fsp=6)
OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}


def name_type(length: int) -> VARCHAR:
    """Return the type of an identifier: ASCII, compared byte by byte."""
    return VARCHAR(length, charset="ascii", collation="ascii_bin")


def text_type(length: int) -> VARCHAR:
    """Return the type of a short text from users, compared byte by byte."""
    return VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")


def batch_number() -> Column[Any]:
    """Return a new column that names the ledger row written in the same transaction."""
    return Column("batch_number", BigInteger, nullable=False)


def real_type() -> DOUBLE:
    """Return the type of a real number, read as a Python float."""
    return DOUBLE(asdecimal=False)


# The ledger ----------------------------------------------------------------------------------------------------------

ledger = Table(
    "ledger",
    metadata,
    Column("number", BigInteger, primary_key=True, comment="short name of the batch, not its order"),
    Column("batch_id", name_type(128), nullable=False, unique=True),
    Column("kind", name_type(20), nullable=False),
    Column("content_hash", name_type(64), nullable=False),
    Column("rows_written", Integer, nullable=False),
    Column("model_number", Integer),
    Column("first_event", INSTANT),
    Column("last_event", INSTANT),
    Column("written_at", INSTANT, nullable=False),
    **OPTIONS,
)

ledger_slots = Table(
    "ledger_slots",
    metadata,
    Column("batch_number", BigInteger, primary_key=True, autoincrement=False),
    Column("model_version", Integer, primary_key=True, autoincrement=False),
    Column("slot", INSTANT, primary_key=True, comment="quarter of an hour that the batch touched"),
    **OPTIONS,
)

pending_batches = Table(
    "pending_batches",
    metadata,
    Column("consumer", name_type(20), primary_key=True),
    Column("batch_number", BigInteger, primary_key=True, autoincrement=False),
    **OPTIONS,
)

pending_chunks = Table(
    "pending_chunks",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("model_version", Integer, primary_key=True, autoincrement=False),
    Column("chunk_start", INSTANT, primary_key=True),
    Column("due_at", INSTANT, comment="instant of the model's clock; NULL is now"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="failures since it last went well"),
    Column("last_error", text_type(500)),
    Column("retry_at", INSTANT, comment="instant of the wall's clock before which a failed chunk rests"),
    **OPTIONS,
)

# Models --------------------------------------------------------------------------------------------------------------

models = Table(
    "models",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", name_type(64), nullable=False, unique=True),
    Column("created_at", INSTANT, nullable=False),
    **OPTIONS,
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("model_number", Integer, ForeignKey("models.number"), primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", name_type(16), nullable=False, comment="creating, ready"),
    Column("artifact_uri", text_type(500)),
    Column("training_hash", name_type(64), nullable=False, comment="of the data and configuration it was trained with"),
    Column("reference_uri", text_type(500), nullable=False),
    Column("reference_hash", name_type(64), nullable=False),
    Column("details", LONGTEXT, nullable=False, comment="JSON: metrics, importances, configuration"),
    Column("created_at", INSTANT, nullable=False),
    UniqueConstraint("model_number", "training_hash", name="uq_model_versions_training"),
    **OPTIONS,
)

spec_revisions = Table(
    "spec_revisions",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("model_version", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("spec", LONGTEXT, nullable=False, comment="JSON of a Spec"),
    Column("fitted", LONGTEXT, nullable=False, comment="JSON of the reference fitted under this spec"),
    Column("created_at", INSTANT, nullable=False),
    **OPTIONS,
)

labels = Table(
    "labels",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("id", text_type(128), primary_key=True),
    Column("value", SmallInteger, nullable=False),
    Column("known_at", INSTANT, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    batch_number(),
    Index("ix_labels_batch", "batch_number"),
    **OPTIONS,
)

KEPT = 64
"""How many models' tables are kept once made; each has a `MetaData` of its own."""
FEATURE_TYPES: dict[ColumnKind, TypeEngine[Any]] = {
    ColumnKind.CONTINUOUS: real_type(),
    ColumnKind.CATEGORICAL: text_type(255),
}


def prediction_columns(spec: Spec) -> tuple[Column[Any], ...]:
    """Return the columns that hold a prediction's content, in table order: what a writer sends."""
    return (
        Column(EVENT_TIME, INSTANT, nullable=False),
        Column(ID, text_type(128), nullable=False),
        Column("model_version", Integer, nullable=False),
        Column("scored_at", INSTANT, nullable=False),
        Column(PREDICTION, SmallInteger, nullable=False),
        Column("probability_0", real_type(), nullable=False),
        Column(SCORE, real_type(), nullable=False),
        *(Column(column.name, FEATURE_TYPES[column.kind]) for column in spec.columns),
    )


@dataclass(frozen=True, slots=True)
class _Model:
    """A model's number and spec, told apart by the spec's text: a spec itself may hold what has no hash."""

    number: int
    text: str
    spec: Spec = field(compare=False)


def predictions(number: int, spec: Spec) -> Table:
    """Return the table of a model's predictions; its primary key makes a chunk one range scan.

    Asked for again it is the same object, so that SQLAlchemy compiles a statement on it once.
    """
    return _predictions(_Model(number, spec.model_dump_json(), spec))


def predictions_staging(number: int, spec: Spec) -> Table:
    """Return the table where a model's predictions wait for the one transaction that moves them; once, too."""
    return _predictions_staging(_Model(number, spec.model_dump_json(), spec))


def predictions_name(number: int | str) -> str:
    """Return the name of a model's table of predictions; a text may stand for the number."""
    return f"predictions_{number}"


def predictions_staging_name(number: int | str) -> str:
    """Return the name of the table where a model's predictions are staged; a text may stand for the number."""
    return f"{predictions_name(number)}_staging"


@lru_cache(KEPT)
def _predictions(model: _Model) -> Table:
    name = predictions_name(model.number)
    return Table(
        name,
        MetaData(),
        *prediction_columns(model.spec),
        batch_number(),
        PrimaryKeyConstraint(EVENT_TIME, ID),
        UniqueConstraint(ID, name=f"uq_{name}_id"),
        **OPTIONS,
    )


@lru_cache(KEPT)
def _predictions_staging(model: _Model) -> Table:
    return Table(
        predictions_staging_name(model.number),
        MetaData(),
        Column("batch_id", name_type(128), nullable=False),
        Column("attempt", name_type(36), nullable=False),
        *prediction_columns(model.spec),
        PrimaryKeyConstraint("batch_id", "attempt", ID),
        **OPTIONS,
    )


# What monitoring says ------------------------------------------------------------------------------------------------


def _revision_key() -> tuple[Column[Any], ...]:
    return (
        Column("model_number", Integer, primary_key=True, autoincrement=False),
        Column("model_version", Integer, primary_key=True, autoincrement=False),
        Column("chunk_start", INSTANT, primary_key=True),
        Column("revision", Integer, primary_key=True, autoincrement=False),
    )


chunk_revisions = Table(
    "chunk_revisions",
    metadata,
    *_revision_key(),
    Column("chunk_end", INSTANT, nullable=False),
    Column("closed", Boolean(create_constraint=False), nullable=False),
    Column("current", Boolean(create_constraint=False), nullable=False, comment="no later revision is there"),
    Column("rows_seen", Integer, nullable=False),
    Column("rows_labelled", Integer, nullable=False),
    Column("content_hash", name_type(64), nullable=False),
    Column("spec_revision", Integer, nullable=False),
    Column("reference_hash", name_type(64), nullable=False),
    Column("code_version", name_type(64), nullable=False),
    Column("batches", LONGTEXT, nullable=False, comment="JSON: numbers of the batches of its rows and labels"),
    Column("labels_as_of", INSTANT, comment="the newest label's known_at"),
    Column("computed_at", INSTANT, nullable=False),
    Column("score_counts", LONGTEXT, comment="JSON: rows by prediction and bin of score: all, labelled, positive"),
    Column("drift_lasts", Boolean(create_constraint=False), comment="as of the last replay of the evidence"),
    Column("evidence", LONGTEXT, comment="JSON: what the scores and the labels say, as of the last replay"),
    Column("detector", LONGTEXT, comment="JSON: the detector's state after the chunk has closed"),
    **OPTIONS,
)

results = Table(
    "results",
    metadata,
    *_revision_key(),
    Column("subject", name_type(64), primary_key=True),
    Column("kind", name_type(16), primary_key=True),
    Column("method", name_type(32), primary_key=True),
    Column("value", real_type()),
    Column("lower", real_type()),
    Column("upper", real_type()),
    Column("alert_lower", real_type()),
    Column("alert_upper", real_type()),
    Column("expected", real_type(), comment="mean of the reference's chunks"),
    Column("sampling_error", real_type()),
    Column("p_value", real_type()),
    Column("effect", real_type()),
    Column("rows_used", Integer, nullable=False),
    Column("state", name_type(16), nullable=False),
    Column("reason", text_type(500)),
    **OPTIONS,
)

verdicts = Table(
    "verdicts",
    metadata,
    *_revision_key(),
    Column("sequence", Integer, primary_key=True, autoincrement=False, comment="a verdict derived anew gets the next"),
    Column("current", Boolean(create_constraint=False), nullable=False),
    Column("state", name_type(16), nullable=False),
    Column("provisional", Boolean(create_constraint=False), nullable=False),
    Column("reasons", LONGTEXT, nullable=False, comment="JSON list"),
    Column("drifted", LONGTEXT, nullable=False, comment="JSON list of columns"),
    Column("derived_at", INSTANT, nullable=False),
    **OPTIONS,
)
