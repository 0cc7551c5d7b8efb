"""The table of services: one row for each service and job.

Local processes, environments, database users and their rights are derived from it at run time. Compose files, the
Dockerfile's stages, the Makefile's list of images and the workflow's matrix are written from it by `make services`.
"""

import sys
from collections.abc import Iterator, Sequence

from sqlalchemy import Table

from churn.columns import CHURN_MODEL, TRAILING_DAYS, Processed
from churn.migrate import EXAMPLE
from churn.tables import cdr, churn_predictions, daily_summary, processed, processed_staging, stream_runs
from driftline.store import tables
from driftline.store.migrate import LIBRARY
from stack.errors import StackError
from stack.services.grants import Grant, GrantedSchema, Privilege
from stack.services.service import Compose, ContainerImage, Service, ServiceWorker, WorkerContainer

ALL, SELECT, INSERT, UPDATE, DELETE = (
    Privilege.ALL, Privilege.SELECT, Privilege.INSERT, Privilege.UPDATE, Privilege.DELETE,
)  # fmt: skip
EXECUTE, CREATE, LOCK_TABLES = Privilege.EXECUTE, Privilege.CREATE, Privilege.LOCK_TABLES
CREATE_VIEW, SHOW_VIEW = Privilege.CREATE_VIEW, Privilege.SHOW_VIEW

VERSION_TABLES = (LIBRARY.version_table, EXAMPLE.version_table)
"""Which migrations have run; a service reads them to refuse a database of another version."""

SETTINGS_AS_FILES = "DRIFTLINE_SECRETS"
WEB_SERVER = ("DRIFTLINE_TOKENS", "DRIFTLINE_RATE_LIMIT", "DRIFTLINE_MAX_", "DRIFTLINE_TLS_", "DRIFTLINE_TRACES_")
LINEAGE = "DRIFTLINE_LINEAGE_"
GOOGLE = ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST")


def _names(*of: Table) -> tuple[str, ...]:
    return tuple(table.name for table in of)


OWNER = Service(
    name="owner",
    title="Deployment",
    description="Creates schemas, users, tables and topics, and drives the demo.",
    folder="stack",
    command=("-m", "stack.containers.steps"),
    grants=(Grant((ALL,)), Grant((ALL,), schema=GrantedSchema.TRUTH)),
    migrates=True,
    image=ContainerImage("deploy", code=("src/churn", "stack"), arguments=("--help",)),
)
SIMULATOR = Service(
    name="simulator",
    title="Simulator",
    description="Streams call records and late labels, and relays them to Kafka.",
    folder="flaskapp",
    command=("-m", "flaskapp"),
    port=5000,
    settings=(SETTINGS_AS_FILES, "SIMULATOR_", "RAW_DATA_", "KAFKA_PUBLISHER", *GOOGLE, *WEB_SERVER),
    uses_kafka=True,
    grants=(  # it alone knows the truth about injected drift
        Grant((SELECT,), (*_names(tables.models), *VERSION_TABLES)),
        Grant((SELECT, INSERT), _names(tables.ledger, tables.ledger_slots), revoked=(UPDATE, DELETE)),
        Grant((SELECT, INSERT, UPDATE), _names(cdr, tables.labels, stream_runs), revoked=(DELETE,)),
        Grant((SELECT, INSERT, DELETE), _names(daily_summary, tables.pending_batches), revoked=(UPDATE,)),
        Grant((EXECUTE,)),
        Grant((SELECT, INSERT), schema=GrantedSchema.TRUTH, revoked=(UPDATE, DELETE)),
    ),
    image=ContainerImage("simulator", code=("src/churn", "flaskapp")),
    compose=Compose(
        "The simulator without the other services: `docker compose up --build` here, once the servers of"
        " ../compose.yaml run.",
        keeps_state=False,
    ),
)
EDA = Service(
    name="eda",
    title="Exploration",
    description="Plots a range of days and writes one report about it.",
    folder="eda",
    command=("-m", "eda"),
    settings=(SETTINGS_AS_FILES, "EDA_"),
    grants=(Grant((SELECT,), (*_names(cdr), *VERSION_TABLES)),),
    image=ContainerImage(
        "eda",
        code=("src/churn", "eda"),
        environment={"EDA_OUTPUT": "/var/lib/driftline/eda", "MPLCONFIGDIR": "/tmp/matplotlib"},  # noqa: S108  # in the image
    ),
    compose=Compose(
        "The exploration of the days in query_params.json: `docker compose up --build` here, once a history is loaded.",
        environment={"EDA_QUERY_PARAMS": "/run/query_params.json"},
        mounts=("./query_params.json:/run/query_params.json:ro",),
    ),
)
JOBS = Service(
    name="jobs",
    title="Spark jobs",
    description="Prepare data, train the model, write predictions, score records as they arrive.",
    folder="pyspark",
    settings=(
        SETTINGS_AS_FILES,
        "SPARK_",
        "EDA_",
        "KAFKA_PUBLISHER",
        "DRIFTLINE_OBJECTS",
        "MLFLOW_",
        "DRIFTLINE_TRACES_",
        LINEAGE,
    ),
    variables={"PYSPARK_PYTHON": sys.executable},
    uses_kafka=True,
    reads_ports_of=("monitor",),
    grants=(  # they read all but the truth, and never change a prediction
        Grant((SELECT, EXECUTE), revoked=(INSERT, UPDATE, DELETE, CREATE, CREATE_VIEW, SHOW_VIEW)),
        Grant(
            (INSERT,),
            _names(
                tables.ledger,
                tables.ledger_slots,
                tables.predictions,
                tables.batch_data,
                tables.spec_revisions,
                tables.role_changes,
                churn_predictions,
            ),
        ),
        Grant(
            (INSERT, UPDATE), _names(tables.models, tables.model_versions, tables.pending_chunks, tables.retrainings)
        ),
        Grant((INSERT, DELETE), _names(processed, processed_staging, daily_summary, tables.pending_batches)),
    ),
    workers=(
        ServiceWorker("score-stream", "Scored stream", ("pyspark/score_stream.py",), job="score_stream", option="LIVE"),
    ),
    image=ContainerImage(
        "jobs",
        code=("src/churn", "pyspark", "monitoring"),
        arguments=("/app/pyspark/prepare_data.py", "--help"),
        environment={"SPARK_JARS": "/opt/jars", "PYSPARK_PYTHON": "/opt/driftline/bin/python"},
        stage="spark",
        working_directory="/tmp",  # noqa: S108  # in the image
    ),
    compose=Compose(
        "Prepare, train and predict, one after another, on the days of config.json: `docker compose up --build` here,"
        " once a history is loaded. One step with arguments: `docker compose run --no-deps prepare --start-date"
        " 2026-01-01`. Predictions while records arrive, once a model is trained: `docker compose --profile"
        " score-stream up score-stream`.",
        scripts={
            "prepare": "/app/pyspark/prepare_data.py",
            "train": "/app/pyspark/train_model.py",
            "predict": "/app/pyspark/write_predictions.py",
        },
        environment={
            "SPARK_DRIVER_MEMORY": "2g",
            "SPARK_LOCAL_DIRS": "/var/lib/driftline/spark # spilled to disk, not to /tmp",
        },
        mounts=("./config.json:/app/pyspark/config.json:ro", "./training.json:/app/pyspark/training.json:ro"),
        workers={
            "score-stream": WorkerContainer(
                ("/app/pyspark/score_stream.py",),
                environment={"SPARK_DRIVER_MEMORY": "2g", "SPARK_LOCAL_DIRS": "/var/lib/driftline/spark"},
            )
        },
        executable_tmp=True,
        cpus="2.0",
        memory="3G",
        pids=512,
    ),
)
_ALERTS = {
    "MONITOR_ALERTS": '"${MONITOR_ALERTS:-}" # such as /run/alerts/alerts.yaml, in ../deploy/secrets/alerts',
    "MONITOR_ALERT_SECRETS": "/run/alerts",
    "MONITOR_PUBLIC_URL": '"${MONITOR_PUBLIC_URL:-}" # in links of alerts',
}
_ALERTS_MOUNT = "../deploy/secrets/alerts:/run/alerts:ro"
MONITOR = Service(
    name="monitor",
    title="Monitor",
    description="Computes what is pending, and serves the API and the dashboard.",
    folder="monitoring",
    command=("-m", "monitoring"),
    port=5001,
    settings=(SETTINGS_AS_FILES, "MONITOR_", "DRIFTLINE_OBJECTS", *WEB_SERVER, LINEAGE),
    grants=(  # it locks rows of tables that it cannot write to: MySQL requires LOCK TABLES for that
        Grant((LOCK_TABLES,), revoked=(SELECT, INSERT, UPDATE, DELETE, CREATE, CREATE_VIEW, SHOW_VIEW, EXECUTE)),
        Grant((SELECT,), (LIBRARY.version_table,)),
        Grant((SELECT, INSERT, UPDATE, DELETE), _names(*tables.metadata.sorted_tables)),  # it removes models
    ),
    image=ContainerImage(
        "monitor",
        code=("monitoring",),
        stage="printing",
        environment={"MONITOR_OUTPUT": "/var/lib/driftline/monitoring", "MPLCONFIGDIR": "/tmp/matplotlib"},  # noqa: S108  # in the image
    ),
    compose=Compose(
        "The monitor without the other services: `docker compose up --build` here, once the servers of"
        " ../compose.yaml run. Further pollers, which share its work: `docker compose --profile poller up --scale"
        " poller=2`. Rows of your own tables: write sources.yaml, set INGEST_SQL_URL, and add `--profile ingest-sql`.",
        environment=_ALERTS,
        mounts=(_ALERTS_MOUNT,),
        workers={
            "poller": WorkerContainer(("-m", "monitoring", "poll"), environment=_ALERTS, mounts=(_ALERTS_MOUNT,)),
            "ingest-sql": WorkerContainer(
                ("-m", "monitoring.ingest", "sql", "/run/sources.yaml"),
                environment={"INGEST_SQL_URL": "${INGEST_SQL_URL-}"},
                mounts=("./sources.yaml:/run/sources.yaml:ro",),
            ),
        },
    ),
)
_SERVED = {
    "SERVING_MODEL": CHURN_MODEL,
    "SERVING_ROWS_TABLE": processed.name,
    "SERVING_ROWS_FIELD": "subscriber",
    "SERVING_ROWS_SUBJECT": Processed.USER.value,
    "SERVING_ROWS_DAY": Processed.DATE.value,
    "SERVING_ROWS_DAYS": str(TRAILING_DAYS),
}
"""The model of the example, and its prepared rows: a request may name a subscriber instead of features."""
SERVING = Service(
    name="serving",
    title="Serving",
    description="Answers requests for predictions, and logs them to the monitor.",
    folder="serving",
    command=("-m", "serving"),
    port=5002,
    settings=(SETTINGS_AS_FILES, "SERVING_", "DRIFTLINE_TOKEN", "DRIFTLINE_OBJECTS", *WEB_SERVER),
    variables=_SERVED,
    reads_ports_of=("monitor",),
    grants=(  # it reads which models there are, and the prepared rows of the example
        Grant(
            (SELECT,),
            (*_names(tables.models, tables.model_versions, tables.spec_revisions, processed), *VERSION_TABLES),
        ),
    ),
    image=ContainerImage("serving", code=("src/churn", "serving"), volumes=("/tmp", "/var/lib/driftline")),  # noqa: S108  # in the image
    compose=Compose(
        "Predictions without the other services: `docker compose up --build` here, once the servers of"
        " ../compose.yaml run and a model is trained. Set DRIFTLINE_TOKEN to a token with the scope `ingest`, with"
        " which it logs to the monitor.",
        environment={
            "SERVING_MONITOR_URL": MONITOR.container_address,
            **{name: f'"${{{name}-{value}}}"' for name, value in _SERVED.items()},
            "DRIFTLINE_TOKEN": '"${DRIFTLINE_TOKEN:-}" # created by `driftline token create`',
        },
    ),
)

SERVICES = (OWNER, SIMULATOR, EDA, JOBS, MONITOR, SERVING)
"""The rows; those with a port are started in this order."""


def service_named(name: str, services: Sequence[Service] = SERVICES) -> Service:
    """Return the row of a name; raises `StackError` if there is none."""
    row = next((service for service in services if service.name == name), None)
    if row is None:
        raise StackError(f"There is no service {name!r}; choose one of {', '.join(names(services))}.")
    return row


def names(services: Sequence[Service] = SERVICES) -> tuple[str, ...]:
    """Return the names of the services, which are the roles of environments and database users."""
    return tuple(service.name for service in services)


def with_port(services: Sequence[Service] = SERVICES) -> Iterator[tuple[Service, int]]:
    """Yield the services that listen on a port, each with its default port."""
    return ((service, service.port) for service in services if service.port is not None)


def with_workers(services: Sequence[Service] = SERVICES) -> Iterator[tuple[Service, ServiceWorker]]:
    """Yield the processes that run only on request, each with its service."""
    return ((service, worker) for service in services for worker in service.workers)
