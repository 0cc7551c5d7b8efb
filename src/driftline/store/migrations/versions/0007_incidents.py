"""Verdict events, pending for their consumers, and incidents with their events and comments."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
TABLES = ("incident_comments", "incident_events", "incidents", "pending_events", "verdict_events")


def _column(name: str, of_type: Any, *, null: bool = False, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, of_type, nullable=null, comment=comment)


def _name(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=length)


def _text(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length)


def _instant() -> mysql.DATETIME:
    return mysql.DATETIME(fsp=6)


def _version() -> tuple[sa.Column[Any], ...]:
    names = ("model_number", "model_version")
    return tuple(sa.Column(name, sa.Integer(), autoincrement=False, nullable=False) for name in names)


def upgrade() -> None:
    """Create the tables; a stored verdict was of a closed chunk where its revision is."""
    op.add_column(
        "verdicts",
        sa.Column("closed", sa.Boolean(), nullable=False, server_default="0", comment="its chunk had closed"),
    )
    key = ("model_number", "model_version", "chunk_start", "revision")
    verdicts = sa.table("verdicts", *map(sa.column, (*key, "closed")))
    revisions = sa.table("chunk_revisions", *map(sa.column, (*key, "closed")))
    same = sa.and_(*(verdicts.c[name] == revisions.c[name] for name in key))
    stored = sa.select(revisions.c.closed).where(same).scalar_subquery()
    op.execute(verdicts.update().values(closed=sa.func.coalesce(stored, 0)))
    op.alter_column(
        "verdicts",
        "closed",
        existing_type=sa.Boolean(),
        existing_nullable=False,
        existing_comment="its chunk had closed",
        server_default=None,
    )
    _create_events()
    _create_incidents()


def _create_events() -> None:
    """Create the tables of verdict events and of the consumers for which they are pending."""
    op.create_table(
        "verdict_events",
        _column("number", sa.BigInteger(), comment="in the order of a version's commits"),
        *_version(),
        _column("chunk_start", _instant()),
        _column("chunk_end", _instant()),
        _column("revision", sa.Integer()),
        _column("sequence", sa.Integer()),
        _column("state_before", _name(16), null=True, comment="NULL: the chunk's first verdict"),
        _column("state", _name(16)),
        _column("provisional", sa.Boolean()),
        _column("closed", sa.Boolean(), comment="the chunk had closed"),
        _column("backfill", sa.Boolean(), comment="first verdict of a past chunk"),
        _column("reasons", mysql.LONGTEXT(), comment="JSON list"),
        _column(
            "evidence",
            mysql.LONGTEXT(),
            null=True,
            comment="JSON: what the detector says; NULL: no detector, or the chunk is open",
        ),
        _column("spec_revision", sa.Integer()),
        _column("reference_hash", _name(64)),
        _column("code_version", _name(64)),
        _column("labels_as_of", _instant(), null=True, comment="the newest label's known_at"),
        _column("derived_at", _instant()),
        sa.PrimaryKeyConstraint("number"),
        **OPTIONS,
    )
    op.create_index("ix_verdict_events_chunk", "verdict_events", ["model_number", "model_version", "chunk_start"])
    op.create_table(
        "pending_events",
        _column("consumer", _name(20)),
        *_version(),
        sa.Column("event_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("consumer", "model_number", "model_version", "event_number"),
        **OPTIONS,
    )


def _create_incidents() -> None:
    """Create the tables of incidents, their events and their comments."""
    op.create_table(
        "incidents",
        _column("number", sa.BigInteger()),
        *_version(),
        _column("first_chunk", _instant()),
        _column("last_chunk", _instant(), comment="the last chunk in trouble"),
        _column("read_until", _instant(), comment="end of the last chunk that the incident was derived from"),
        _column("state", _name(16), comment="open, resolved, withdrawn"),
        _column("severity", _name(16), comment="of its last chunk in trouble: warn, alert"),
        _column("worst", _name(16)),
        _column("reasons", mysql.LONGTEXT(), comment="JSON list: of its last chunk in trouble"),
        _column("opened_at", _instant()),
        _column("changed_at", _instant(), comment="when the verdict of its last event was derived"),
        _column("backfill", sa.Boolean(), comment="opened by a past chunk"),
        _column("acknowledged_at", _instant(), null=True),
        _column("acknowledged_by", _text(64), null=True),
        sa.PrimaryKeyConstraint("number"),
        **OPTIONS,
    )
    op.create_index("ix_incidents_first_chunk", "incidents", ["model_number", "model_version", "first_chunk"])
    op.create_index("ix_incidents_state", "incidents", ["state", "number"])
    op.create_table(
        "incident_events",
        sa.Column("incident_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        _column("model_number", sa.Integer()),
        _column("kind", _name(16), comment="opened, worse, better, revised, resolved, withdrawn"),
        _column("chunk_start", _instant()),
        _column(
            "state_before", _name(16), null=True, comment="of the chunk before, or of the chunk before it was revised"
        ),
        _column("state", _name(16)),
        _column("reason", mysql.LONGTEXT(), comment="the gravest reason of the chunk's verdict"),
        _column("derived_at", _instant()),
        sa.PrimaryKeyConstraint("incident_number", "position"),
        **OPTIONS,
    )
    op.create_table(
        "incident_comments",
        _column("number", sa.BigInteger()),
        _column("incident_number", sa.BigInteger()),
        _column("model_number", sa.Integer()),
        _column("author", _text(64)),
        _column("text", _text(2000)),
        _column("written_at", _instant()),
        sa.PrimaryKeyConstraint("number"),
        **OPTIONS,
    )
    op.create_index("ix_incident_comments_incident", "incident_comments", ["incident_number"])


def downgrade() -> None:
    """Remove the tables with everything in them."""
    for table in TABLES:
        op.drop_table(table)
    op.drop_column("verdicts", "closed")
