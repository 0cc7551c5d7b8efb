"""The view `model_predictions`, which users know: the churn model's predictions with their labels."""

from sqlalchemy import Connection, Select, and_, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql.compiler import DDLCompiler

from churn.columns import FEATURES, Processed
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.store.predictions import PredictionStore
from driftline.store.tables import labels

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


def model_predictions(store: PredictionStore) -> Select[tuple[object, ...]]:
    """Select the churn model's predictions joined with their labels: one row for each subscriber and day."""
    predictions, label = store.table, labels.c.value
    same_id = and_(labels.c.model_number == store.number, labels.c.id == predictions.c[ID])
    return select(
        func.date(predictions.c[EVENT_TIME]).label(Processed.DATE),
        func.substr(predictions.c[ID], len("2026-01-31/") + 1).label(Processed.USER),
        *(predictions.c[name] for name in FEATURES),
        label.label(Processed.LABEL),
        label.label(LABEL),
        *(
            predictions.c[name]
            for name in (PREDICTION, "probability_0", SCORE, ID, "model_version", "scored_at", "batch_number")
        ),
    ).select_from(predictions.outerjoin(labels, same_id))


def create_model_predictions(connection: Connection, store: PredictionStore) -> None:
    """Create or replace the view; `driftline.store.registry.register` calls it once the model's tables exist."""
    connection.execute(CreateView(MODEL_PREDICTIONS, model_predictions(store)))
