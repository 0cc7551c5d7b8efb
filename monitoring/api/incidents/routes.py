"""The routes of incidents: read, acknowledge, assign, silence and comment."""

from apiflask import APIBlueprint
from sqlalchemy import Connection, Engine

from driftline.clock import Clock
from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from driftline.store.database import translated
from monitoring.api.incidents import actions as incident_actions
from monitoring.api.incidents.schemas import (
    ActionOut,
    AssignmentIn,
    CommentIn,
    CommentOut,
    IncidentDetailOut,
    IncidentEventOut,
    IncidentOut,
    IncidentsOut,
    IncidentsQuery,
    IncidentStateOut,
    SilenceIn,
    incident_values,
)
from monitoring.incidents import action_log, stored_incidents
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
        """Return one incident with its events, its comments and what people did."""
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

    @needs(Scope.OPERATE)
    def assign(number: int, json_data: AssignmentIn) -> IncidentStateOut:
        """Assign an incident to a name, or to nobody."""
        incident_actions.assign(engine, number, json_data.author, json_data.to, clock())
        return _state(engine, number)

    @needs(Scope.OPERATE)
    def silence(number: int, json_data: SilenceIn) -> IncidentStateOut:
        """Send no alert about an incident until a time; then one tells what has changed."""
        incident_actions.silence(engine, number, json_data.author, json_data.reason, json_data.until, clock())
        return _state(engine, number)

    @needs(Scope.OPERATE)
    def end_silence(number: int) -> IncidentStateOut:
        """End the silence of an incident; without one, nothing changes."""
        incident_actions.end_silence(engine, number, clock())
        return _state(engine, number)

    path = f"{PREFIX}/<int:number>"
    api.get(PREFIX)(api.output(IncidentsOut)(api.input(IncidentsQuery, location="query")(incidents)))
    api.get(path)(api.output(IncidentDetailOut)(incident))
    api.post(f"{path}/acknowledge")(api.output(IncidentStateOut)(acknowledge))
    api.post(f"{path}/comments")(api.output(IncidentStateOut)(api.input(CommentIn, location="json")(comment)))
    api.put(f"{path}/assignment")(api.output(IncidentStateOut)(api.input(AssignmentIn, location="json")(assign)))
    api.put(f"{path}/silence")(api.output(IncidentStateOut)(api.input(SilenceIn, location="json")(silence)))
    api.delete(f"{path}/silence")(api.output(IncidentStateOut)(end_silence))
    return api


def _state(engine: Engine, number: int) -> IncidentStateOut:
    with translated(), engine.connect() as connection:
        return IncidentStateOut(number=number, state=stored_incidents.load_incident(connection, number).state)


def _detail(connection: Connection, number: int) -> IncidentDetailOut:
    stored = stored_incidents.load_incident(connection, number)
    return IncidentDetailOut(
        **incident_values(stored),
        events=tuple(map(IncidentEventOut.of, stored_incidents.events_of(connection, number))),
        comments=tuple(map(CommentOut.of, stored_incidents.comments_of(connection, number))),
        actions=tuple(map(ActionOut.of, action_log.actions_of(connection, number))),
    )
