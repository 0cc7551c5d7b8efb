"""The routes of incidents: read, acknowledge and comment."""

from apiflask import APIBlueprint
from sqlalchemy import Connection, Engine

from driftline.clock import Clock
from driftline.http.access import needs
from driftline.http.api_description import Document
from driftline.http.scopes import Scope
from driftline.store.database import translated
from monitoring.api import incident_actions
from monitoring.api.incident_schemas import (
    CommentIn,
    CommentOut,
    IncidentDetailOut,
    IncidentEventOut,
    IncidentOut,
    IncidentsOut,
    IncidentsQuery,
    IncidentStateOut,
    incident_values,
)
from monitoring.incidents import stored_incidents
from monitoring.incidents.stored_incidents import IncidentFilter

PREFIX = "/api/v1/incidents"


def make_incidents_api(engine: Engine, clock: Clock) -> APIBlueprint:
    """Build the routes for one database."""
    api = APIBlueprint("incidents", __name__, tag="Incidents")

    @needs(Scope.READ)
    def incidents(query_data: IncidentsQuery) -> IncidentsOut:
        """List incidents, the newest first."""
        with translated(), engine.connect() as connection:
            stored = stored_incidents.find_incidents(connection, IncidentFilter(**dict(query_data)))
        return IncidentsOut(incidents=tuple(map(IncidentOut.of, stored)))

    @needs(Scope.READ)
    def incident(number: int) -> IncidentDetailOut:
        """Return one incident with its events and comments."""
        with translated(), engine.connect() as connection:
            return _detail(connection, number)

    @needs(Scope.OPERATE)
    def acknowledge(number: int) -> IncidentStateOut:
        """Acknowledge an incident; once acknowledged, it stays so."""
        incident_actions.acknowledge(engine, number, clock())
        return _state(engine, number)

    @needs(Scope.OPERATE)
    def comment(number: int, json_data: CommentIn) -> IncidentStateOut:
        """Comment on an incident."""
        incident_actions.comment(engine, number, json_data.author, json_data.text, clock())
        return _state(engine, number)

    path = f"{PREFIX}/<int:number>"
    api.get(PREFIX)(api.output(IncidentsOut)(api.input(IncidentsQuery, location="query")(incidents)))
    api.get(path)(api.output(IncidentDetailOut)(incident))
    api.post(f"{path}/acknowledge")(api.output(IncidentStateOut)(acknowledge))
    api.post(f"{path}/comments")(api.output(IncidentStateOut)(api.input(CommentIn, location="json")(comment)))
    return api


def describe_comments(document: Document) -> None:
    """State that a comment has a body, for the OpenAPI document."""
    path = document["paths"].get(f"{PREFIX}/{{number}}/comments")
    if path is not None:
        path["post"]["requestBody"]["required"] = True


def _state(engine: Engine, number: int) -> IncidentStateOut:
    with translated(), engine.connect() as connection:
        return IncidentStateOut(number=number, state=stored_incidents.load_incident(connection, number).state)


def _detail(connection: Connection, number: int) -> IncidentDetailOut:
    stored = stored_incidents.load_incident(connection, number)
    return IncidentDetailOut(
        **incident_values(stored),
        events=tuple(map(IncidentEventOut.of, stored_incidents.events_of(connection, number))),
        comments=tuple(map(CommentOut.of, stored_incidents.comments_of(connection, number))),
    )
