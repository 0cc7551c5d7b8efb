"""Every table of the database as SQLAlchemy Core objects, each name spelled once. No I/O here."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import DATETIME, DOUBLE, LONGBLOB, LONGTEXT, VARCHAR

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
    Column("traceparent", name_type(55), comment="the trace in which it was written, where traces are recorded"),
    Index("ix_ledger_model", "model_number", "kind", "last_event"),
    **OPTIONS,
)

ledger_slots = Table(
    "ledger_slots",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("model_version", Integer, primary_key=True, autoincrement=False),
    Column("slot", INSTANT, primary_key=True, comment="quarter of an hour that the batch touched"),
    Column("batch_number", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "row_count",
        Integer,
        nullable=False,
        comment="predictions that the batch added, less those that it removed",
    ),
    Index("ix_ledger_slots_batch", "batch_number"),
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
    Column("waiting_since", INSTANT, comment="when the oldest batch was written that is not in its results"),
    **OPTIONS,
)

poll_schedules = Table(
    "poll_schedules",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("every_seconds", BigInteger),
    Column("cron", name_type(100), comment="five fields; NULL: every_seconds counts"),
    Column("time_zone", name_type(64), nullable=False, comment="of the cron expression"),
    Column("last_poll_at", INSTANT, comment="when its last poll began"),
    **OPTIONS,
)

poll_runs = Table(
    "poll_runs",
    metadata,
    Column("run_id", name_type(32), primary_key=True),
    Column("began_at", INSTANT, nullable=False),
    Column("alive_at", INSTANT, nullable=False, comment="last sign of life of a run that goes on"),
    Column("ended_at", INSTANT),
    Column("problem", text_type(500), comment="why it failed"),
    Column("summary", LONGTEXT, comment="JSON: what it did"),
    Index("ix_poll_runs_began", "began_at"),
    **OPTIONS,
)

pending_labels = Table(
    "pending_labels",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("model_version", Integer, primary_key=True, autoincrement=False),
    Column("chunk_start", INSTANT, primary_key=True),
    Column("batch_number", BigInteger, primary_key=True, autoincrement=False, comment="a batch of labels of the chunk"),
    **OPTIONS,
)

# Models --------------------------------------------------------------------------------------------------------------

models = Table(
    "models",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", name_type(64), nullable=False, unique=True),
    Column("created_at", INSTANT, nullable=False),
    Column("archive_after_days", Integer, comment="after a chunk has closed and its labels were due; NULL: never"),
    Column("remove_after_days", Integer, comment="likewise, and then its archived rows are removed; NULL: never"),
    Column("champion", Integer, comment="the version that is used where none is named; NULL: the newest ready one"),
    Column("challenger", Integer, comment="the version that is compared with the champion"),
    Column("owner", text_type(64), comment="responsible for the model: a person or a team"),
    **OPTIONS,
)

role_changes = Table(
    "role_changes",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("action", name_type(16), nullable=False, comment="promote, rollback, challenge, dismiss"),
    Column("version", Integer, nullable=False),
    Column("replaced", Integer, comment="the version that was used before a new champion"),
    Column("changed_at", INSTANT, nullable=False),
    Column("changed_by", text_type(64), nullable=False),
    Column("reason", text_type(2000), nullable=False),
    **OPTIONS,
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("model_number", Integer, ForeignKey("models.number"), primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", name_type(16), nullable=False, comment="creating, ready, retired"),
    Column("artifact_uri", text_type(500)),
    Column("training_hash", name_type(64), nullable=False, comment="of the data and configuration it was trained with"),
    Column("reference_uri", text_type(500), nullable=False),
    Column("reference_hash", name_type(64), nullable=False),
    Column("details", LONGTEXT, nullable=False, comment="JSON: metrics, importances, configuration"),
    Column("layout", LONGTEXT, comment="JSON: which of the user's columns is which; NULL: canonical names"),
    Column("created_at", INSTANT, nullable=False),
    Column("results_at", INSTANT, comment="when a result or a verdict was stored last"),
    UniqueConstraint("model_number", "training_hash", name="uq_model_versions_training"),
    **OPTIONS,
)

retrainings = Table(
    "retrainings",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("state", name_type(16), nullable=False, comment="running, promoted, kept, failed"),
    Column("cause", text_type(500), nullable=False, comment="a lasting alert, or the reason of a person"),
    Column("event_number", BigInteger, comment="the last verdict event of the champion that was read"),
    Column("champion", Integer, nullable=False),
    Column("challenger", Integer, comment="NULL: it was not trained yet"),
    Column("reason", text_type(2000), comment="why the challenger was promoted or not; NULL while it runs"),
    Column("comparison", LONGTEXT, comment="JSON: both models on the same labelled rows"),
    Column("started_at", INSTANT, nullable=False),
    Column("finished_at", INSTANT),
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
    Column("value", real_type(), comment="0 or 1 of a binary model, the number of a regression"),
    Column("class_name", text_type(255), comment="of a multiclass model"),
    Column("known_at", INSTANT, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    batch_number(),
    Index("ix_labels_batch", "batch_number"),
    **OPTIONS,
)

predictions = Table(
    "predictions",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("id", text_type(128), primary_key=True),
    Column("model_version", Integer, nullable=False),
    Column("event_time", INSTANT, nullable=False),
    batch_number(),
    Column("position", Integer, nullable=False, comment="of the row in the batch's data, from 0"),
    Index("ix_predictions_batch", "batch_number", "position"),
    **OPTIONS,
)

batch_data = Table(
    "batch_data",
    metadata,
    Column("batch_number", BigInteger, primary_key=True, autoincrement=False),
    Column("content", name_type(16), primary_key=True, comment="outputs, features"),
    Column("first_position", Integer, primary_key=True, autoincrement=False, comment="of the first row in the batch"),
    Column("row_count", Integer, nullable=False),
    Column("first_event", INSTANT, nullable=False),
    Column("last_event", INSTANT, nullable=False),
    Column("data", LONGBLOB, nullable=False, comment="Arrow IPC stream, compressed by zstd"),
    **OPTIONS,
)

removed_rows = Table(
    "removed_rows",
    metadata,
    Column("batch_number", BigInteger, primary_key=True, autoincrement=False, comment="of the row that counts no more"),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("by_batch", BigInteger, nullable=False, comment="the correction or deletion that removed the row"),
    Column("model_number", Integer, nullable=False),
    Column("id", text_type(128), comment="of a corrected row; NULL once its content is erased"),
    Index("ix_removed_rows_by_batch", "by_batch"),
    Index("ix_removed_rows_id", "model_number", "id"),
    **OPTIONS,
)

archive_objects = Table(
    "archive_objects",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("model_number", Integer, nullable=False),
    Column("model_version", Integer, nullable=False),
    Column("period_start", INSTANT, nullable=False),
    Column("period_end", INSTANT, nullable=False),
    Column("state", name_type(16), nullable=False, comment="writing, stored, replaced, removing, removed"),
    Column("address", text_type(500), nullable=False, comment="of a Parquet object"),
    Column("row_count", BigInteger, nullable=False),
    Column("byte_count", BigInteger, nullable=False),
    Column("content_hash", name_type(64), nullable=False, comment="SHA-256 of the object"),
    Column(
        "batches",
        LONGTEXT,
        nullable=False,
        comment="JSON: by batch, its removed rows, and its rows in the object with their first and last position",
    ),
    Column("written_at", INSTANT, nullable=False),
    Column("removed_at", INSTANT),
    Index("ix_archive_objects_period", "model_number", "model_version", "period_start"),
    **OPTIONS,
)

ingest_log = Table(
    "ingest_log",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("model_number", Integer, nullable=False),
    Column("received_at", INSTANT, nullable=False),
    Column("kind", name_type(20), nullable=False, comment="predictions, labels, correction, deletion"),
    Column("state", name_type(16), nullable=False, comment="stored, refused"),
    Column("batch_id", name_type(128)),
    Column("caller", text_type(64), comment="name of the token, or of the program"),
    Column("format", name_type(64), nullable=False),
    Column("body_bytes", BigInteger, nullable=False),
    Column("rows_sent", Integer),
    Column("rows_new", Integer),
    Column("rows_same", Integer),
    Column("rows_changed", Integer, comment="labels revised, predictions corrected or deleted"),
    Column("reason", text_type(2000), comment="why it was refused"),
    Index("ix_ingest_log_model", "model_number", "number"),
    Index("ix_ingest_log_received", "received_at"),
    **OPTIONS,
)


source_offsets = Table(
    "source_offsets",
    metadata,
    Column("source", name_type(255), primary_key=True, comment="kafka/TOPIC"),
    Column("part", Integer, primary_key=True, autoincrement=False, comment="partition"),
    Column("next_offset", BigInteger, nullable=False, comment="of the first message that was not read"),
    **OPTIONS,
)


watched_files = Table(
    "watched_files",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("file_hash", name_type(64), primary_key=True, comment="of the kind and the address"),
    Column("kind", name_type(20), nullable=False, comment="predictions, labels, correction"),
    Column("address", text_type(1024), nullable=False),
    Column("file_version", text_type(255), nullable=False, comment="what changes with the file"),
    Column("content_hash", name_type(64), nullable=False),
    Column("state", name_type(16), nullable=False, comment="stored, refused"),
    Column("rows_sent", BigInteger, nullable=False),
    Column("reason", text_type(2000), comment="why it was refused"),
    Column("read_at", INSTANT, nullable=False),
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

chunk_states = Table(
    "chunk_states",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("model_version", Integer, primary_key=True, autoincrement=False),
    Column("chunk_start", INSTANT, primary_key=True),
    Column("content", name_type(16), primary_key=True, comment="features, labels"),
    Column("part", Integer, primary_key=True, autoincrement=False, comment="all parts together are the chunk"),
    Column("piece", Integer, primary_key=True, autoincrement=False, comment="of the part's data, from 0"),
    Column("chunk_end", INSTANT, nullable=False),
    Column("spec_revision", Integer, nullable=False),
    Column("format", name_type(64), nullable=False, comment="of the data; another format is computed again"),
    Column("description", LONGTEXT, comment="JSON: the batches of the part, and a hash of its rows; of piece 0"),
    Column("data", LONGBLOB, nullable=False, comment="a piece of the summary, compressed by zstd"),
    **OPTIONS,
)

results = Table(
    "results",
    metadata,
    *_revision_key(),
    Column("subject_kind", name_type(16), primary_key=True, comment="model, feature, score, prediction, label"),
    Column("subject", text_type(255), primary_key=True),
    Column("segment", text_type(400), primary_key=True, comment="feature=value; empty: all rows"),
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
    Column("closed", Boolean(create_constraint=False), nullable=False, comment="its chunk had closed"),
    Column("state", name_type(16), nullable=False),
    Column("provisional", Boolean(create_constraint=False), nullable=False),
    Column("reasons", LONGTEXT, nullable=False, comment="JSON list"),
    Column("drifted", LONGTEXT, nullable=False, comment="JSON list of columns"),
    Column("derived_at", INSTANT, nullable=False),
    **OPTIONS,
)

sent_chunks = Table(
    "sent_chunks",
    metadata,
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("model_version", Integer, primary_key=True, autoincrement=False),
    Column("chunk_start", INSTANT, primary_key=True),
    Column("revision", Integer, nullable=False, comment="that was sent last"),
    Column("derived_at", INSTANT, comment="of the verdict that was sent"),
    **OPTIONS,
)

# Verdict events and incidents ----------------------------------------------------------------------------------------

verdict_events = Table(
    "verdict_events",
    metadata,
    Column("number", BigInteger, primary_key=True, comment="in the order of a version's commits"),
    Column("model_number", Integer, nullable=False),
    Column("model_version", Integer, nullable=False),
    Column("chunk_start", INSTANT, nullable=False),
    Column("chunk_end", INSTANT, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("state_before", name_type(16), comment="NULL: the chunk's first verdict"),
    Column("state", name_type(16), nullable=False),
    Column("provisional", Boolean(create_constraint=False), nullable=False),
    Column("closed", Boolean(create_constraint=False), nullable=False, comment="the chunk had closed"),
    Column("backfill", Boolean(create_constraint=False), nullable=False, comment="first verdict of a past chunk"),
    Column("reasons", LONGTEXT, nullable=False, comment="JSON list"),
    Column("evidence", LONGTEXT, comment="JSON: what the detector says; NULL: no detector, or the chunk is open"),
    Column("spec_revision", Integer, nullable=False),
    Column("reference_hash", name_type(64), nullable=False),
    Column("code_version", name_type(64), nullable=False),
    Column("labels_as_of", INSTANT, comment="the newest label's known_at"),
    Column("derived_at", INSTANT, nullable=False),
    Index("ix_verdict_events_chunk", "model_number", "model_version", "chunk_start"),
    **OPTIONS,
)

pending_events = Table(
    "pending_events",
    metadata,
    Column("consumer", name_type(20), primary_key=True),
    Column("model_number", Integer, primary_key=True, autoincrement=False),
    Column("model_version", Integer, primary_key=True, autoincrement=False),
    Column("event_number", BigInteger, primary_key=True, autoincrement=False),
    **OPTIONS,
)

incidents = Table(
    "incidents",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("model_number", Integer, nullable=False),
    Column("model_version", Integer, nullable=False),
    Column("first_chunk", INSTANT, nullable=False),
    Column("last_chunk", INSTANT, nullable=False, comment="the last chunk in trouble"),
    Column("read_until", INSTANT, nullable=False, comment="end of the last chunk that the incident was derived from"),
    Column("state", name_type(16), nullable=False, comment="open, resolved, withdrawn"),
    Column("severity", name_type(16), nullable=False, comment="of its last chunk in trouble: warn, alert"),
    Column("worst", name_type(16), nullable=False),
    Column("reasons", LONGTEXT, nullable=False, comment="JSON list: of its last chunk in trouble"),
    Column("opened_at", INSTANT, nullable=False),
    Column("changed_at", INSTANT, nullable=False, comment="when the verdict of its last event was derived"),
    Column("backfill", Boolean(create_constraint=False), nullable=False, comment="opened by a past chunk"),
    Column("acknowledged_at", INSTANT),
    Column("acknowledged_by", text_type(64)),
    Column("assigned_to", text_type(64), comment="who works on it"),
    Column("silenced_until", INSTANT, comment="until then no alert is planned; after it, NULL once alerts are planned"),
    Column("silenced_by", text_type(64)),
    Column("silence_reason", text_type(500)),
    Index("ix_incidents_silenced", "silenced_until"),
    Index("ix_incidents_first_chunk", "model_number", "model_version", "first_chunk"),
    Index("ix_incidents_state", "state", "number"),
    **OPTIONS,
)

incident_events = Table(
    "incident_events",
    metadata,
    Column("incident_number", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("model_number", Integer, nullable=False),
    Column("kind", name_type(16), nullable=False, comment="opened, worse, better, revised, resolved, withdrawn"),
    Column("chunk_start", INSTANT, nullable=False),
    Column("state_before", name_type(16), comment="of the chunk before, or of the chunk before it was revised"),
    Column("state", name_type(16), nullable=False),
    Column("reason", LONGTEXT, nullable=False, comment="the gravest reason of the chunk's verdict"),
    Column("derived_at", INSTANT, nullable=False),
    **OPTIONS,
)

incident_comments = Table(
    "incident_comments",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("incident_number", BigInteger, nullable=False),
    Column("model_number", Integer, nullable=False),
    Column("author", text_type(64), nullable=False),
    Column("text", text_type(2000), nullable=False),
    Column("written_at", INSTANT, nullable=False),
    Index("ix_incident_comments_incident", "incident_number"),
    **OPTIONS,
)

incident_actions = Table(
    "incident_actions",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("incident_number", BigInteger, nullable=False),
    Column("model_number", Integer, nullable=False),
    Column("kind", name_type(16), nullable=False, comment="acknowledged, assigned, silenced, unsilenced"),
    Column("author", text_type(64), nullable=False),
    Column("text", text_type(500), comment="who it is assigned to, NULL: nobody; the reason of a silence"),
    Column("until", INSTANT, comment="end of a silence"),
    Column("acted_at", INSTANT, nullable=False),
    Index("ix_incident_actions_incident", "incident_number"),
    **OPTIONS,
)

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("number", BigInteger, primary_key=True),
    Column("delivery_id", name_type(64), nullable=False, unique=True),
    Column("thread", name_type(64), nullable=False, comment="delivery_id of the first message of its incident here"),
    Column("channel", name_type(64), nullable=False),
    Column("kind", name_type(16), nullable=False, comment="what happened in the incident; test"),
    Column("model_number", Integer, comment="NULL: a test"),
    Column("model_version", Integer),
    Column("incident_number", BigInteger),
    Column("incident_state", name_type(16)),
    Column("severity", name_type(16), comment="of the incident's last chunk in trouble"),
    Column("worst", name_type(16)),
    Column("content", LONGTEXT, nullable=False, comment="JSON: the alert as it is sent"),
    Column("state", name_type(16), nullable=False, comment="pending, delivered, dead"),
    Column("grouped", Boolean(create_constraint=False), nullable=False, comment="sent with others in one message"),
    Column("digest", name_type(64), comment="the message that it is sent in with others"),
    Column("created_at", INSTANT, nullable=False),
    Column("due_at", INSTANT, nullable=False, comment="next attempt; while one lasts, when it is given up"),
    Column("attempts", Integer, nullable=False),
    Column("problem", text_type(500), comment="why the last attempt failed"),
    Column("finished_at", INSTANT, comment="when it was delivered, or became a dead letter"),
    Index("ix_alert_deliveries_due", "channel", "state", "due_at"),
    Index("ix_alert_deliveries_incident", "model_number", "model_version", "incident_number"),
    Index("ix_alert_deliveries_state", "state", "number"),
    **OPTIONS,
)
