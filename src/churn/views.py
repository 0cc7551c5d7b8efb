"""The view `model_predictions`, which users know: the churn model's predictions with their labels. No I/O here."""

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql.compiler import DDLCompiler

from churn.columns import CHURN_MODEL, FEATURES, Processed
from churn.tables import churn_predictions
from driftline.engine.results import ID, LABEL, PREDICTION, SCORE
from driftline.store.tables import labels, models

MODEL_PREDICTIONS = "model_predictions"


class CreateView(DDLElement):
    """CREATE OR REPLACE VIEW of a query without bound values."""

    def __init__(self, name: str, query: Select[tuple[object, ...]]) -> None:
        """Take the view's name and its query."""
        self.name, self.query = name, query


@compiles(CreateView)
def _compile(element: CreateView, compiler: DDLCompiler, **_: object) -> str:
    query = compiler.sql_compiler.process(element.query, literal_binds=True)
    return f"CREATE OR REPLACE SQL SECURITY INVOKER VIEW {compiler.preparer.quote(element.name)} AS {query}"


def model_predictions() -> Select[tuple[object, ...]]:
    """Select the churn model's predictions joined with their labels: one row for each subscriber and day."""
    rows, label = churn_predictions, labels.c.value
    same_id = and_(labels.c.model_number == models.c.number, labels.c.id == rows.c[ID])
    return select(
        rows.c[Processed.DATE],
        rows.c[Processed.USER],
        *(rows.c[name] for name in FEATURES),
        label.label(Processed.LABEL),
        label.label(LABEL),
        *(
            rows.c[name]
            for name in (PREDICTION, "probability_0", SCORE, ID, "model_version", "scored_at", "batch_number")
        ),
    ).select_from(rows.join(models, models.c.name == CHURN_MODEL).outerjoin(labels, same_id))


def create_model_predictions() -> CreateView:
    """Return the statement that creates or replaces the view."""
    return CreateView(MODEL_PREDICTIONS, model_predictions())
