"""The pages of incidents: the list, and one with its forms to acknowledge, assign, silence and comment on it."""

from datetime import timedelta

from apiflask import APIBlueprint
from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from driftline.clock import Clock
from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from driftline.store.database import translated
from monitoring.api.incidents import actions as incident_actions
from monitoring.incidents import action_log, stored_incidents
from monitoring.incidents.stored_incidents import IncidentFilter
from monitoring.pages.queries import AssignmentForm, CommentForm, IncidentsPageQuery, SilenceForm

PAGE_SIZE = 50
SILENCE_HOURS = ((1, "1 hour"), (8, "8 hours"), (24, "1 day"), (72, "3 days"), (168, "1 week"), (720, "30 days"))
"""The silences that the page offers."""


def add_incident_pages(pages: APIBlueprint, engine: Engine, clock: Clock) -> None:
    """Add the routes to the blueprint of the pages."""
    _add_views(pages, engine)
    _add_forms(pages, engine, clock)


def _add_views(pages: APIBlueprint, engine: Engine) -> None:
    """Add the list, and the page of one incident."""

    @needs(Scope.READ)
    def incidents(query_data: IncidentsPageQuery) -> ResponseReturnValue:
        """List incidents, the newest first."""
        query = IncidentFilter(query_data.model, None, query_data.state, before=query_data.before, most=PAGE_SIZE + 1)
        with translated(), engine.connect() as connection:
            stored = stored_incidents.find_incidents(connection, query)
        page, more = stored[:PAGE_SIZE], len(stored) > PAGE_SIZE
        return render_template("incidents.html", incidents=page, query=query_data, more=more)

    @needs(Scope.READ)
    def incident(number: int) -> ResponseReturnValue:
        """Show one incident with its events and comments."""
        with translated(), engine.connect() as connection:
            stored = stored_incidents.load_incident(connection, number)
            events = stored_incidents.events_of(connection, number)
            comments = stored_incidents.comments_of(connection, number)
            actions = action_log.actions_of(connection, number)
        return render_template(
            "incident.html",
            incident=stored,
            events=events,
            comments=comments,
            actions=actions,
            hours=SILENCE_HOURS,
        )

    pages.get("/incidents")(pages.input(IncidentsPageQuery, location="query")(incidents))
    pages.get("/incidents/<int:number>")(incident)


def _add_forms(pages: APIBlueprint, engine: Engine, clock: Clock) -> None:
    """Add the routes of the forms on an incident's page; each shows the incident afterwards."""

    @needs(Scope.OPERATE)
    def acknowledge(number: int) -> ResponseReturnValue:
        """Acknowledge an incident, and show it."""
        incident_actions.acknowledge(engine, number, clock())
        return redirect(url_for("pages.incident", number=number), 303)

    @needs(Scope.OPERATE)
    def assign(number: int, form_data: AssignmentForm) -> ResponseReturnValue:
        """Assign an incident, and show it."""
        incident_actions.assign(engine, number, form_data.author, (form_data.to or "").strip() or None, clock())
        return redirect(url_for("pages.incident", number=number), 303)

    @needs(Scope.OPERATE)
    def silence(number: int, form_data: SilenceForm) -> ResponseReturnValue:
        """Silence an incident for some hours, and show it."""
        now = clock()
        until = now + timedelta(hours=form_data.hours)
        incident_actions.silence(engine, number, form_data.author, form_data.reason, until, now)
        return redirect(url_for("pages.incident", number=number), 303)

    @needs(Scope.OPERATE)
    def unsilence(number: int) -> ResponseReturnValue:
        """End the silence of an incident, and show it."""
        incident_actions.end_silence(engine, number, clock())
        return redirect(url_for("pages.incident", number=number), 303)

    @needs(Scope.OPERATE)
    def comment(number: int, form_data: CommentForm) -> ResponseReturnValue:
        """Comment on an incident, and show it."""
        incident_actions.comment(engine, number, form_data.author, form_data.text, clock())
        return redirect(url_for("pages.incident", number=number, _anchor="comments"), 303)

    pages.post("/incidents/<int:number>/acknowledge")(acknowledge)
    pages.post("/incidents/<int:number>/assign")(pages.input(AssignmentForm, location="form")(assign))
    pages.post("/incidents/<int:number>/silence")(pages.input(SilenceForm, location="form")(silence))
    pages.post("/incidents/<int:number>/unsilence")(unsilence)
    pages.post("/incidents/<int:number>/comments")(pages.input(CommentForm, location="form")(comment))
