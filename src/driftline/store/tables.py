"""Every table of the database as SQLAlchemy Core objects, each name spelled once. No I/O here."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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

from churn.columns import CDR_USAGE, FEATURES, USAGE, Cdr, Processed
from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, ID, PREDICTION, SCORE
from driftline.engine.spec import Spec

metadata = MetaData()
truth_metadata = MetaData(schema="truth")
"""Tables of the truth schema; `driftline.store.database.make_engine` maps `truth` to `<DB_NAME>_truth`."""

INSTANT = DATETIME(fsp=6)
OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
CHURN_NUMBER = 1
"""The number of the churn model, made by the first migration."""


def name_type(length: int) -> VARCHAR:
    """Give the type of an identifier: ASCII, compared byte by byte."""
    return VARCHAR(length, charset="ascii", collation="ascii_bin")


def text_type(length: int) -> VARCHAR:
    """Give the type of a short text from users, compared byte by byte."""
    return VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")


def _batch_number() -> Column[Any]:
    return Column("batch_number", BigInteger, nullable=False)


def _real() -> DOUBLE:
    return DOUBLE(asdecimal=False)


# The simulated world and its records ---------------------------------------------------------------------------------

cdr = Table(
    "DP_CDR_Data",
    metadata,
    Column(Cdr.DATE, INSTANT, primary_key=True, comment="UTC instant that stamps the reporting period"),
    Column(Cdr.MSISDN, name_type(20), primary_key=True),
    Column(Cdr.RECORD_ID, name_type(40), primary_key=True, comment="source and running number"),
    *(Column(name, BigInteger) for name in CDR_USAGE),
    Column(Cdr.PSEUDO_CHURNED, SmallInteger, comment="NULL until known"),
    _batch_number(),
    *(CheckConstraint(f"{name} >= 0", name=f"ck_{name}") for name in CDR_USAGE),
    **OPTIONS,
)

daily_summary = Table(
    "DailySummary",
    metadata,
    Column("Date", Date, primary_key=True),
    Column("Total_Outgoing_Calls", BigInteger, nullable=False),
    Column("Total_Outgoing_Call_Time", BigInteger, nullable=False, comment="seconds"),
    Column("Total_Data_Purchases", BigInteger, nullable=False),
    Column("Total_Data_Volume", BigInteger, nullable=False, comment="bytes"),
    **OPTIONS,
)

stream_runs = Table(
    "stream_runs",
    metadata,
    Column("run_id", name_type(64), primary_key=True, comment="hash of the parameters for a dated stream"),
    Column("parameters", LONGTEXT, nullable=False, comment="JSON"),
    Column("state", name_type(16), nullable=False, comment="running, stopped, finished, failed"),
    Column("num_batches", Integer, nullable=False),
    Column("next_batch", Integer, nullable=False, comment="the first batch not yet written"),
    Column("records", BigInteger, nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("updated_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
    Column("last_error", text_type(500)),
    **OPTIONS,
)

injected_drift = Table(
    "injected_drift",
    truth_metadata,
    Column("run_id", name_type(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", name_type(20), nullable=False),
    Column("affected_column", name_type(64)),
    Column("size", _real(), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, comment="included; NULL is for good"),
    **OPTIONS,
)

# Prepared data -------------------------------------------------------------------------------------------------------


def _feature_columns() -> tuple[Column[Any] | Column[Any], ...]:
    counted = {*USAGE, Processed.DAYS_SEEN}
    return tuple(Column(name, BigInteger if name in counted else _real()) for name in FEATURES)


processed = Table(
    "Processed_Data",
    metadata,
    Column(Processed.DATE, Date, primary_key=True),
    Column(Processed.USER, name_type(20), primary_key=True),
    *_feature_columns(),
    Column(Processed.LABEL, SmallInteger, comment="NULL until known"),
    _batch_number(),
    **OPTIONS,
)

processed_staging = Table(
    "Processed_Data_staging",
    metadata,
    Column("batch_id", name_type(128), primary_key=True),
    Column("attempt", name_type(36), primary_key=True),
    Column(Processed.DATE, Date, primary_key=True),
    Column(Processed.USER, name_type(20), primary_key=True),
    *_feature_columns(),
    Column(Processed.LABEL, SmallInteger),
    **OPTIONS,
)

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
    _batch_number(),
    Index("ix_labels_batch", "batch_number"),
    **OPTIONS,
)

KEPT = 64
"""How many models' tables are kept once made; each has a `MetaData` of its own."""
FEATURE_TYPES: dict[ColumnKind, TypeEngine[Any]] = {
    ColumnKind.CONTINUOUS: _real(),
    ColumnKind.CATEGORICAL: text_type(255),
}


def prediction_columns(spec: Spec) -> tuple[Column[Any], ...]:
    """Give the columns that hold a prediction's content, in table order: what a writer sends."""
    return (
        Column(EVENT_TIME, INSTANT, nullable=False),
        Column(ID, text_type(128), nullable=False),
        Column("model_version", Integer, nullable=False),
        Column("scored_at", INSTANT, nullable=False),
        Column(PREDICTION, SmallInteger, nullable=False),
        Column("probability_0", _real(), nullable=False),
        Column(SCORE, _real(), nullable=False),
        *(Column(column.name, FEATURE_TYPES[column.kind]) for column in spec.columns),
    )


@dataclass(frozen=True, slots=True)
class _Model:
    """A model's number and spec, told apart by the spec's text: a spec itself may hold what has no hash."""

    number: int
    text: str
    spec: Spec = field(compare=False)


def predictions(number: int, spec: Spec) -> Table:
    """Give the table of a model's predictions; its primary key makes a chunk one range scan.

    Asked for again it is the same object, so that SQLAlchemy compiles a statement on it once.
    """
    return _predictions(_Model(number, spec.model_dump_json(), spec))


def predictions_staging(number: int, spec: Spec) -> Table:
    """Give the table where a model's predictions wait for the one transaction that moves them; once, too."""
    return _predictions_staging(_Model(number, spec.model_dump_json(), spec))


def predictions_name(number: int) -> str:
    """Name a model's table of predictions."""
    return f"predictions_{number}"


def predictions_staging_name(number: int) -> str:
    """Name the table where a model's predictions wait."""
    return f"{predictions_name(number)}_staging"


@lru_cache(KEPT)
def _predictions(model: _Model) -> Table:
    name = predictions_name(model.number)
    return Table(
        name,
        MetaData(),
        *prediction_columns(model.spec),
        _batch_number(),
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
    **OPTIONS,
)

results = Table(
    "results",
    metadata,
    *_revision_key(),
    Column("subject", name_type(64), primary_key=True),
    Column("kind", name_type(16), primary_key=True),
    Column("method", name_type(32), primary_key=True),
    Column("value", _real()),
    Column("lower", _real()),
    Column("upper", _real()),
    Column("alert_lower", _real()),
    Column("alert_upper", _real()),
    Column("expected", _real(), comment="mean of the reference's chunks"),
    Column("sampling_error", _real()),
    Column("p_value", _real()),
    Column("effect", _real()),
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
