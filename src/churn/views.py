"""Views that users know, made from the tables' own names."""

from sqlalchemy import Connection, Select, and_, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import DDLElement
from sqlalchemy.sql.compiler import DDLCompiler

from churn.columns import FEATURES, Processed
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import ColumnSpec, Spec
from driftline.store.tables import CHURN_NUMBER, labels, predictions

MODEL_PREDICTIONS = "model_predictions"


class CreateView(DDLElement):
    """CREATE OR REPLACE VIEW of a query without bound values."""

    def __init__(self, name: str, query: Select[tuple[object, ...]]) -> None:
        """Take the view's name and what it shows."""
        self.name, self.query = name, query


@compiles(CreateView)
def _compile(element: CreateView, compiler: DDLCompiler, **_: object) -> str:
    query = compiler.sql_compiler.process(element.query, literal_binds=True)
    return f"CREATE OR REPLACE SQL SECURITY INVOKER VIEW {compiler.preparer.quote(element.name)} AS {query}"


def model_predictions() -> Select[tuple[object, ...]]:
    """Give the churn model's predictions joined with their labels, a row a subscriber-day."""
    spec = Spec(columns=tuple(ColumnSpec(name=name) for name in FEATURES))
    table = predictions(CHURN_NUMBER, spec)
    label = labels.c.value
    return select(
        func.date(table.c[EVENT_TIME]).label(Processed.DATE),
        func.substr(table.c[ID], len("2026-01-31/") + 1).label(Processed.USER),
        *(table.c[name] for name in FEATURES),
        label.label(Processed.LABEL),
        label.label(LABEL),
        *(
            table.c[name]
            for name in (PREDICTION, "probability_0", SCORE, ID, "model_version", "scored_at", "batch_number")
        ),
    ).select_from(table.outerjoin(labels, and_(labels.c.model_number == CHURN_NUMBER, labels.c.id == table.c[ID])))


def create_model_predictions(connection: Connection) -> None:
    """Make or renew the view `model_predictions`."""
    connection.execute(CreateView(MODEL_PREDICTIONS, model_predictions()))
