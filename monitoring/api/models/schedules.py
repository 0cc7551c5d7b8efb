"""The routes of schedules: when a model is polled."""

from collections.abc import Callable

from apiflask import APIBlueprint
from sqlalchemy import Connection, Engine

from driftline.clock import Clock
from driftline.errors import InvalidInput, NotFound
from driftline.http.access import needs
from driftline.http.api_description import Document, add_error_response
from driftline.http.authorization.scopes import Scope
from driftline.store.database import in_transaction, translated
from driftline.store.model_numbers import model_number
from driftline.store.polling.schedule_store import delete_schedule, write_schedule
from monitoring.api.models.schedule_schemas import PollingOut, ScheduleIn
from monitoring.report.polling import read_polling
from monitoring.service import MonitorService

PATH = "/api/v1/models/<name>/schedule"


def make_polling_reader(
    monitor: MonitorService, every_seconds: float, clock: Clock
) -> Callable[[Connection, str], PollingOut]:
    """Return the function that reads the polling status of a model."""

    def read(connection: Connection, name: str) -> PollingOut:
        polling = read_polling(connection, model_number(connection, name))
        return PollingOut.of(polling, monitor.last, every_seconds, clock())

    return read


def make_schedules_api(engine: Engine, read: Callable[[Connection, str], PollingOut]) -> APIBlueprint:
    """Build the routes for one database; `read` is made by `make_polling_reader`."""
    api = APIBlueprint("schedules", __name__, tag="Monitoring")

    @needs(Scope.READ)
    def polling(name: str) -> PollingOut:
        """Return when a model is polled, and what waits for the next poll."""
        with translated(), engine.connect() as connection:
            return read(connection, name)

    @needs(Scope.ADMIN)
    def schedule(name: str, json_data: ScheduleIn) -> PollingOut:
        """Poll a model at an interval or by a cron expression, instead of with all others."""
        requested = json_data.schedule()

        def work(connection: Connection) -> PollingOut:
            write_schedule(connection, model_number(connection, name), requested)
            return read(connection, name)

        return in_transaction(engine, work)

    @needs(Scope.ADMIN)
    def unschedule(name: str) -> PollingOut:
        """Poll a model with all others again."""

        def work(connection: Connection) -> PollingOut:
            delete_schedule(connection, model_number(connection, name))
            return read(connection, name)

        return in_transaction(engine, work)

    api.get(PATH)(api.output(PollingOut)(polling))
    api.put(PATH)(api.output(PollingOut)(api.input(ScheduleIn, location="json")(schedule)))
    api.delete(PATH)(api.output(PollingOut)(unschedule))
    return api


def describe_schedules(document: Document) -> None:
    """State the refusals, for the OpenAPI document."""
    for method, operation in document["paths"].get(PATH.replace("<", "{").replace(">", "}"), {}).items():
        add_error_response(operation, NotFound)
        if method == "put":
            add_error_response(operation, InvalidInput)
