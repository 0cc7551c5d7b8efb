"""Labels of any kind, the columns of a reference as its user has them, and results by segment and kind of subject."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"

KEY = ("model_number", "model_version", "chunk_start", "revision")
STATES = "creating, ready, retired"


def _text(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(charset="utf8mb4", collation="utf8mb4_bin", length=length)


def upgrade() -> None:
    """Widen the labels, and tell the subjects of stored results apart; all of them are about all rows."""
    op.alter_column(
        "labels",
        "value",
        existing_type=sa.SmallInteger(),
        existing_nullable=False,
        type_=mysql.DOUBLE(asdecimal=False),
        nullable=True,
        comment="0 or 1 of a binary model, the number of a regression",
    )
    op.add_column("labels", sa.Column("class_name", _text(255), nullable=True, comment="of a multiclass model"))
    op.add_column(
        "model_versions",
        sa.Column(
            "layout",
            mysql.LONGTEXT(),
            nullable=True,
            comment="JSON: which of the user's columns is which; NULL: canonical names",
        ),
    )
    _comment_state(STATES)
    _upgrade_results()


def _upgrade_results() -> None:
    """Add the columns that results of any problem need."""
    name = mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16)
    kind = sa.Column(
        "subject_kind", name, nullable=False, server_default="", comment="model, feature, score, prediction, label"
    )
    segment = sa.Column(
        "segment", _text(400), nullable=False, server_default="", comment="feature=value; empty: all rows"
    )
    op.add_column("results", kind)
    op.add_column("results", segment)
    results = sa.table("results", *map(sa.column, ("subject_kind", "subject", "kind", "method")))
    of_model = sa.or_(
        results.c.kind.in_(("realized", "estimated", "multivariate")),
        results.c.method.in_(("duplicates", "row_count", "freshness")),
    )
    subject_kind = sa.case(
        (of_model, "model"),
        (results.c.subject == "probability_1", "score"),
        (results.c.subject.in_(("prediction", "label")), results.c.subject),
        else_="feature",
    )
    op.execute(results.update().values(subject_kind=subject_kind))
    _replace_key((*KEY, "subject_kind", "subject", "segment", "kind", "method"))
    for column in (kind, segment):
        op.alter_column(
            "results",
            column.name,
            existing_type=column.type,
            existing_nullable=False,
            existing_comment=column.comment,
            server_default=None,
        )


def _replace_key(columns: tuple[str, ...]) -> None:
    quoted = ", ".join(map(op.get_bind().dialect.identifier_preparer.quote, columns))
    op.execute(sa.text(f"ALTER TABLE results DROP PRIMARY KEY, ADD PRIMARY KEY ({quoted})"))


def _comment_state(comment: str) -> None:
    name = mysql.VARCHAR(charset="ascii", collation="ascii_bin", length=16)
    op.alter_column("model_versions", "state", existing_type=name, existing_nullable=False, comment=comment)


def downgrade() -> None:
    """Remove what only other than binary models have, and the results by segment."""
    op.execute(sa.text("DELETE FROM results WHERE segment <> ''"))
    _replace_key((*KEY, "subject", "kind", "method"))
    op.drop_column("results", "segment")
    op.drop_column("results", "subject_kind")
    _comment_state("creating, ready")
    op.drop_column("model_versions", "layout")
    op.execute(sa.text("DELETE FROM labels WHERE value IS NULL"))
    op.drop_column("labels", "class_name")
    op.alter_column(
        "labels",
        "value",
        existing_type=mysql.DOUBLE(),
        existing_nullable=True,
        type_=sa.SmallInteger(),
        nullable=False,
    )
